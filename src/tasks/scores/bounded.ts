/** @file Whether a value can only hold probabilities, by how it is computed. */
import type { Graph } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensorOf } from '#src/onnx/tensor.ts';
import { moving } from './axes.ts';
import { writtenOut } from './written.ts';

/** Numbers that are looked at to see whether a constant keeps within 0 and 1. */
const MOST = 1 << 16;
/** What is added to keep a logarithm finite. */
const SMALL = 1e-3;

const sources: ReadonlySet<string> = new Set(['Softmax', 'Sigmoid', 'HardSigmoid']);
/** Of numbers from 0 to 1 they make numbers from 0 to 1, whatever else they read. */
const first: ReadonlySet<string> = new Set([
  ...moving,
  ...'Clip Split GatherElements GatherND ReduceMean ReduceMax ReduceMin MaxPool AveragePool GlobalAveragePool GlobalMaxPool Expand Tile Dropout'.split(
    ' ',
  ),
]);
const each: ReadonlySet<string> = new Set('Concat Max Min Mean Mul'.split(' '));

/** The Softmax or the Sigmoid that a value's numbers, from 0 to 1, come from; null: they may be any. */
export function sourceOf(graph: Graph, producers: ReadonlyMap<string, Node>, value: string): Node | null {
  const within = (name: string, least: number, most: number): boolean => {
    const constant = graph.constants.get(name);
    if (!constant?.type.startsWith('float') || constant.data.kind !== 'inline') return false;
    return (
      sizeOf(constant.shape) <= MOST && numbersOf(tensorOf(constant)).every((x) => x >= least && x <= most)
    );
  };
  const seen = new Map<string, Node | null>();
  const all = (names: readonly string[]): Node | null => {
    let found: Node | null = null;
    for (const name of names) {
      if (within(name, 0, 1)) continue;
      const source = look(name);
      if (!source) return null;
      // Of several, one that is no Softmax: together they need not come to 1.
      if (!found || source.op !== 'Softmax') found = source;
    }
    return found;
  };
  function look(name: string): Node | null {
    const known = seen.get(name);
    if (known !== undefined) return known;
    seen.set(name, null);
    const node = producers.get(name);
    const found = node ? behind(node) : null;
    seen.set(name, found);
    return found;
  }
  function behind(node: Node): Node | null {
    const [a = '', b = ''] = node.inputs;
    if (sources.has(node.op)) return node;
    const written = writtenOut(node, producers, (name) => within(name, 1, 1));
    if (written) return { ...node, op: written.op };
    if (node.op === 'Exp') {
      const log = producers.get(a);
      return log?.op === 'LogSoftmax' ? { ...log, op: 'Softmax' } : null;
    }
    if (first.has(node.op)) return look(a);
    if (each.has(node.op)) return all(node.inputs);
    if (node.op === 'Where') return all(node.inputs.slice(1));
    if (node.op === 'Add') return within(b, 0, SMALL) ? look(a) : within(a, 0, SMALL) ? look(b) : null;
    if (node.op === 'Sub') return within(a, 1, 1) ? look(b) : within(b, 0, SMALL) ? look(a) : null;
    if (node.op !== 'Div') return null;
    // Shares of their own sum, or of a number.
    const sum = producers.get(b);
    return within(b, 1, Infinity) || (sum?.op === 'ReduceSum' && sum.inputs[0] === a) ? look(a) : null;
  }
  return look(value);
}
