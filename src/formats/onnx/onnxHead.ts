/** @file Weights that were trained as they are (a new head) written into a model's file: their shapes, and the shapes behind them, follow. */
import { reads } from '#src/graph/topology.ts';
import { numbersToHalves } from '#src/onnx/float16.ts';
import { type Constant, type Model, ModelError, type ModelGraph, type ModelValue } from '#src/onnx/model.ts';
import { constantOf, numbersOf, sizeOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { fresh, namesIn } from './onnxEdit.ts';
import { ModelScope } from './onnxValues.ts';
import type { WholeValues } from '#src/oft/rotation/parameters.ts';

/** The file's own element type, where it has kernels for it. */
function stored({ name, shape, data }: WholeValues, old: Constant): Constant {
  if (old.type === 'float16') {
    const bits = numbersToHalves(data);
    return { type: 'float16', shape, data: { kind: 'inline', bytes: new Uint8Array(bits.buffer) } };
  }
  if (old.type === 'float32' || old.type === 'float64')
    return constantOf(tensor(old.type, shape, Array.from(data)));
  throw new ModelError(
    `The trained weight ${name} is stored as ${old.type} in the model's file, which merging cannot write. Save the adapter for PEFT, or train on a float32 export of the model.`,
  );
}

/** Names of nodes' outputs behind the given values. */
function behind(graph: ModelGraph, names: Iterable<string>): ReadonlySet<string> {
  const found = new Set(names);
  // Files may hold nodes in any order.
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const node of graph.nodes)
      if ([...reads(node)].some((name) => found.has(name)))
        for (const name of node.outputs) if (name !== '') found.add(name);
  }
  return found;
}

/**
 * The model with whole weights put in the place of the initializers of their names. Where the number of classes changed, so do constant
 * shapes of Reshapes behind them and the shapes of the outputs.
 *
 * @throws ModelError where the file has no such initializer
 */
export function withWhole(model: Model, whole: readonly WholeValues[]): Model {
  if (whole.length === 0) return model;
  const initializers = new Map(model.graph.initializers);
  let classes: readonly [from: number, to: number] | undefined;
  for (const values of whole) {
    const old = initializers.get(values.name);
    if (!old)
      throw new ModelError(
        `The model's file has no stored weight ${values.name}, which was trained as a whole: the adapter belongs to another model, or the file computes that weight. Save the adapter for PEFT instead.`,
      );
    old.shape.forEach((d, axis) => {
      if (d !== values.shape[axis]) classes = [d, values.shape[axis]!];
    });
    initializers.set(values.name, stored(values, old));
  }
  const graph = { ...model.graph, initializers };
  return { ...model, graph: classes ? resized(graph, whole, ...classes) : graph };
}

function resized(graph: ModelGraph, whole: readonly WholeValues[], from: number, to: number): ModelGraph {
  const reached = behind(
    graph,
    whole.map((w) => w.name),
  );
  const initializers = new Map(graph.initializers);
  const scope = new ModelScope(graph);
  const names = namesIn(graph);
  const nodes = graph.nodes.map((node) => {
    const shape =
      node.op === 'Reshape' && node.domain === '' ? scope.constant(node.inputs[1] ?? '') : undefined;
    if (!shape || !reached.has(node.inputs[0] ?? '') || sizeOf(shape.shape) > 8) return node;
    const sizes = numbersOf(tensorOf(shape));
    const at = sizes.lastIndexOf(from);
    if (at < 0) return node;
    // Other nodes may read the same constant.
    const name = fresh(names, `${node.inputs[1]!}/classes`);
    initializers.set(name, constantOf(tensor('int64', [sizes.length], sizes.with(at, to))));
    return { ...node, inputs: [node.inputs[0]!, name] };
  });
  const outputs = graph.outputs.map((o): ModelValue => {
    const at = o.shape?.lastIndexOf(from) ?? -1;
    return reached.has(o.name) && at > 0 ? { ...o, shape: o.shape!.with(at, to) } : o;
  });
  return { ...graph, initializers, nodes, outputs };
}
