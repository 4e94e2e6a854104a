/** @file The multiplications of a graph's products: what bounds the time of a step from below, whatever the runtime. */
import { intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';

type ShapeOf = (name: string) => readonly number[];

/** Of one application, by operator: each output (of ConvTranspose: each input) times what it is summed over. */
const counts: Readonly<Record<string, (node: Node, shapeOf: ShapeOf) => number>> = {
  MatMul: ({ inputs, outputs }, shapeOf) => sizeOf(shapeOf(outputs[0]!)) * shapeOf(inputs[0]!).at(-1)!,
  Gemm: (node, shapeOf) =>
    sizeOf(shapeOf(node.outputs[0]!)) * shapeOf(node.inputs[0]!)[intAttr(node, 'transA', 0) === 0 ? 1 : 0]!,
  Conv: ({ inputs, outputs }, shapeOf) => sizeOf(shapeOf(outputs[0]!)) * sizeOf(shapeOf(inputs[1]!).slice(1)),
  ConvTranspose: ({ inputs }, shapeOf) => sizeOf(shapeOf(inputs[0]!)) * sizeOf(shapeOf(inputs[1]!).slice(1)),
  Einsum: einsum,
};

/** The product of the lengths of all letters: what one loop nest over them takes. */
function einsum(node: Node, shapeOf: ShapeOf): number {
  const equation = stringAttr(node, 'equation', '').replaceAll(' ', '');
  if (equation.includes('.')) throw new RangeError(`${node.name}: an ellipsis is not counted.`);
  const lengths = new Map<string, number>();
  equation
    .split('->')[0]!
    .split(',')
    .forEach((letters, i) => {
      [...letters].forEach((letter, axis) => lengths.set(letter, shapeOf(node.inputs[i]!)[axis]!));
    });
  return [...lengths.values()].reduce((product, n) => product * n, 1);
}

/** Multiplications of one node; 0 where it is no product. */
export function multiplicationsOf(graph: Graph, node: Node): number {
  if (node.domain !== '') return 0;
  return counts[node.op]?.(node, (name) => graph.values.get(name)!.shape) ?? 0;
}

/** Multiplications of a whole graph. */
export const productsOf = (graph: Graph): number =>
  graph.nodes.reduce((sum, node) => sum + multiplicationsOf(graph, node), 0);

/**
 * Multiplications of a forward pass and of the gradients that flow through it, no adapter counted: a product costs as much again for each operand that hangs
 * on something trained, once for a layer's input, twice where both operands are computed, as in attention.
 * @param trained names of the nodes whose weights are trained
 */
export function flowOf(graph: Graph, trained: ReadonlySet<string>): number {
  const moved = new Set<string>();
  let sum = 0;
  for (const node of graph.nodes) {
    const wanted = node.inputs.filter((name) => moved.has(name));
    sum += multiplicationsOf(graph, node) * (1 + wanted.length);
    if (wanted.length > 0 || trained.has(node.name)) for (const name of node.outputs) moved.add(name);
  }
  return sum;
}
