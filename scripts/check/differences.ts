/** @file Adapters that are whole weight differences: W + s·ΔW at every node that multiplies by W, whatever stands between it and the file. */
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Layer } from '#src/oft/types.ts';
import { constantOf } from '#src/onnx/tensor.ts';
import { UsageError } from './arguments.ts';

export interface Difference {
  readonly layer: Layer;
  /** In torch's order: [out, in] or [out, in/groups, kernel…], flattened. */
  readonly values: Float32Array;
}

/** A weight in torch's order → as the imported graph's nodes see it, and back. */
export function turned(
  { transposed, in: inner, out }: Layer,
  values: Float32Array,
  way: 'from torch' | 'to torch',
): Float32Array {
  if (!transposed) return values;
  const [rows, columns] = way === 'from torch' ? [out, inner] : [inner, out];
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  return result;
}

/**
 * Appends `graph` to the builder with the differences in place.
 * @returns each layer's ΔW as the graph sees it, by path: what gradients are taken of.
 */
export function insertDifferences(
  g: Builder,
  graph: Graph,
  differences: readonly Difference[],
  strength: number,
): ReadonlyMap<string, Value> {
  for (const [name, constant] of graph.constants) g.initializer(name, constant);
  const byNode = new Map(differences.flatMap((d) => d.layer.nodes.map((n) => [n, d] as const)));
  const made = new Map<string, Value>();
  for (const node of graph.nodes) {
    const found = byNode.get(node.name);
    if (!found) {
      g.append(node);
      continue;
    }
    const { layer, values } = found;
    const at = layer.weightInput ?? 1;
    const weight = g.value(node.inputs[at]!);
    if (values.length !== weight.shape.reduce((p, d) => p * d, 1))
      throw new UsageError(
        `The difference of ${layer.path} holds ${values.length} numbers, but its weight has shape [${weight.shape.join()}]. Check the adapter with the model it was made for.`,
      );
    const data = turned(layer, values, 'from torch');
    const delta =
      made.get(layer.path) ??
      g.initializer(g.fresh('difference'), constantOf({ type: 'float32', shape: weight.shape, data }));
    made.set(layer.path, delta);
    const sum = g.add(weight, g.cast(g.mul(delta, g.scalar(strength)), weight.type));
    g.append({ ...node, inputs: node.inputs.map((input, i) => (i === at ? sum.name : input)) });
  }
  return made;
}
