/**
 * @file A MatMul by a stored matrix, and the bias that is added behind it, as one Gemm. A rotation on the output's side turns rows of [out, in]; the
 * matrix of a MatMul is [in, out], so that its blocks would be moved to the front and back in every run. Turned once, when the program is loaded
 * (program/frozen.ts), it needs no move; and what a Gemm adds costs no pass of its own.
 */
import type { Builder } from '#src/graph/builder.ts';
import { readersOf } from '#src/graph/topology.ts';
import type { Graph, Shape } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import type { PlannedLayer } from '../types.ts';

/** The Add that puts a stored vector onto a MatMul's result, which nothing else reads, by the MatMul's name. */
export function biasesOf(graph: Graph, trained: ReadonlyMap<string, unknown>): ReadonlyMap<string, Node> {
  const readers = readersOf(graph.nodes);
  const read = new Set(graph.outputs.map((v) => v.name));
  const found = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.op !== 'MatMul' || node.domain !== '') continue;
    const product = node.outputs[0]!;
    const [add, ...more] = readers.get(product) ?? [];
    if (add?.op !== 'Add' || add.domain !== '' || more.length > 0 || read.has(product)) continue;
    const bias = add.inputs.find((name) => name !== product);
    const [shape, width] = [bias && graph.values.get(bias)!.shape, graph.values.get(product)!.shape.at(-1)];
    if (!bias || !graph.constants.has(bias) || trained.has(bias) || shape?.length !== 1) continue;
    if (shape[0] === width) found.set(node.name, add);
  }
  return found;
}

/** What takes a MatMul's place: a layer of [rows, in] and a Gemm, to be adapted. */
export interface Dense {
  readonly node: Node;
  readonly planned: PlannedLayer;
  /** Gives the Gemm's result the shape and the name that the MatMul's, or the sum's, had. */
  readonly finish: () => void;
}

/**
 * The layer as Gemm; null where its node is no MatMul by a matrix on the right, or its weight has other axes.
 * @param add the bias's node, whose result the Gemm gives then
 */
export function denseLayer(
  g: Builder,
  node: Node,
  planned: PlannedLayer,
  add: Node | undefined,
): Dense | null {
  const { layer, side } = planned;
  if (node.op !== 'MatMul' || layer.kind !== 'linear' || layer.weightInput === 0) return null;
  const [x, weight] = [g.value(node.inputs[0]!), g.value(node.inputs[1]!)];
  if (weight.shape.length !== 2 || x.shape.length < 2 || x.type !== 'float32' || x.shape.includes(0))
    return null;
  const flat = (shape: Shape): Shape => [shape.slice(0, -1).reduce((n, d) => n * d, 1), shape.at(-1)!];
  const transB = side === 'output';
  const bias = add?.inputs.find((name) => name !== node.outputs[0]);
  const name = (add ?? node).outputs[0]!;
  const result = x.shape.length === 2 ? name : g.fresh(`${node.name}/flat`);
  return {
    node: {
      ...node,
      op: 'Gemm',
      inputs: [
        g.reshape(x, flat(x.shape)).name,
        (transB ? g.transpose(weight, [1, 0]) : weight).name,
        ...(bias === undefined ? [] : [bias]),
      ],
      outputs: [result],
      attributes: transB ? { transB: { kind: 'int', value: 1 } } : {},
    },
    planned: { ...planned, layer: { ...layer, op: 'Gemm', transposed: !transB } },
    finish: () => {
      if (result === name) return;
      const shape = [...x.shape.slice(0, -1), layer.out];
      g.emit('Reshape', [g.value(result), g.ints(shape)], {}, { outputNames: [name] });
    },
  };
}
