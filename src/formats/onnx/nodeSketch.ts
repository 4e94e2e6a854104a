/** @file Nodes that are written around one of a model's: their names, and the constants that they read. */
import { attributes, type AttributeInput } from '#src/graph/attributes.ts';
import type { Node } from '#src/onnx/model.ts';
import { constantOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import type { GraphEdit } from './onnxEdit.ts';

/** Shapes are alike in most layers: each is stored once in a model. */
const shapes = new WeakMap<GraphEdit, Map<string, string>>();

/** Collects nodes in the order in which they run. */
export class NodeSketch {
  readonly nodes: Node[] = [];
  /** @param scope what stands before the names of nodes, values and constants */
  constructor(
    readonly edit: GraphEdit,
    readonly scope: string,
  ) {}

  /** Appends a standard operator with one result. @param output its name; absent: a new one. @returns its name */
  emit(
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttributeInput>> = {},
    output?: string,
  ): string {
    const name = this.edit.fresh(`${this.scope}/${op}`);
    const result = output ?? this.edit.fresh(`${name}/output_0`);
    this.nodes.push({ op, domain: '', name, inputs, outputs: [result], attributes: attributes(attrs) });
    return result;
  }

  /** Appends a node as it is. */
  append(node: Node): void {
    this.nodes.push(node);
  }

  /** An initializer. @returns its name */
  constant(name: string, value: Tensor): string {
    return this.edit.constant(`${this.scope}/${name}`, constantOf(value));
  }

  /** The second input of Reshape. @returns its name */
  shape(axes: readonly number[]): string {
    const known = shapes.get(this.edit) ?? new Map<string, string>();
    shapes.set(this.edit, known);
    const key = axes.join();
    const name =
      known.get(key) ??
      this.edit.constant(`rotation/shape/${key}`, constantOf(tensor('int64', [axes.length], axes)));
    known.set(key, name);
    return name;
  }
}
