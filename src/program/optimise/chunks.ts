/**
 * @file Slices that cut a value into parts side by side, as one Split: exporters write `torch.chunk` so. The gradient of each slice is a Pad of the whole
 * value's size, and those are added up; the gradient of a Split is one Concat.
 */
import type { Graph } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, tensor, tensorOf } from '#src/onnx/tensor.ts';

interface Piece {
  readonly node: Node;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** The graph with such slices as Splits. Every value keeps its name. */
export function withSplits(graph: Graph): Graph {
  const families = new Map<string, Piece[]>();
  for (const node of graph.nodes) {
    const piece = pieceOf(graph, node);
    if (!piece) continue;
    const key = `${node.inputs[0]}\n${piece.axis}`;
    const family = families.get(key);
    if (family) family.push(piece);
    else families.set(key, [piece]);
  }
  const splits = new Map<Node, Node>();
  const gone = new Set<Node>();
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  for (const pieces of families.values()) {
    const first = pieces[0]!.node;
    const { axis } = pieces[0]!;
    const ordered = pieces.toSorted((a, b) => a.start - b.start);
    if (ordered.length < 2 || !sideBySide(ordered, graph.values.get(first.inputs[0]!)!.shape[axis]!))
      continue;
    const sizes = ordered.map(({ start, end }) => end - start);
    let name = `${first.outputs[0]}/sizes`;
    while (values.has(name)) name += '_';
    constants.set(name, { ...constantOf(tensor('int64', [sizes.length], sizes)), computed: true });
    values.set(name, { name, type: 'int64', shape: [sizes.length] });
    splits.set(first, {
      ...first,
      op: 'Split',
      inputs: [first.inputs[0]!, name],
      outputs: ordered.map(({ node }) => node.outputs[0]!),
      attributes: { axis: { kind: 'int', value: axis } },
    });
    for (const { node } of pieces.slice(1)) gone.add(node);
  }
  if (splits.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) => (gone.has(node) ? [] : [splits.get(node) ?? node]));
  return { ...graph, nodes, constants, values };
}

/** A slice along one axis in steps of 1, all of whose places are constants. */
function pieceOf(graph: Graph, node: Node): Piece | null {
  if (node.op !== 'Slice' || node.domain !== '') return null;
  const numbers = (i: number): readonly number[] | null => {
    const constant = graph.constants.get(node.inputs[i] ?? '');
    return constant?.data.kind === 'inline' ? numbersOf(tensorOf(constant)) : null;
  };
  const [starts, ends, axes] = [numbers(1), numbers(2), numbers(3)];
  const steps = node.inputs[4] ? numbers(4) : [1];
  if (starts?.length !== 1 || ends?.length !== 1 || axes?.length !== 1 || steps?.[0] !== 1) return null;
  const { shape } = graph.values.get(node.inputs[0]!)!;
  const axis = axes[0]! < 0 ? axes[0]! + shape.length : axes[0]!;
  const length = shape[axis]!;
  const place = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, 0), length);
  return { node, axis, start: place(starts[0]!), end: place(ends[0]!) };
}

/** Whether the pieces cover the axis, each element once. */
const sideBySide = (pieces: readonly Piece[], length: number): boolean =>
  pieces.every(({ start, end }, i) => end > start && start === (i === 0 ? 0 : pieces[i - 1]!.end)) &&
  pieces.at(-1)!.end === length;
