/**
 * @file What hangs on frozen weights alone is computed once, when a program is loaded, not in every run: a session folds the constants that it holds, but
 * not the large ones, which it is given as inputs.
 */
import { apart } from '#src/graph/names.ts';
import { prune } from '#src/graph/prune.ts';
import { reads, readersOf } from '#src/graph/topology.ts';
import type { GraphConstant, Graph, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { byteLength } from '#src/onnx/tensor.ts';
import { runInputs } from './weights.ts';
import { Numbered } from '#src/platform/numbered.ts';

/** Costs a run little: a copy of such a result would take memory for nothing, and a quantised weight would lose what it is for. */
const cheap = new Set(
  'Transpose Reshape Squeeze Unsqueeze Flatten Identity Cast DequantizeLinear Expand Tile'.split(' '),
);
/** A result may be larger than what it is made of up to so many bytes. */
const MOST_GROWTH = 64 * 2 ** 20;

/** A value that hangs on constants alone. */
interface Frozen {
  readonly value: Value;
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, GraphConstant>;
}

/** Who reads the values of a graph. */
interface Uses {
  readonly readers: ReadonlyMap<string, readonly Node[]>;
  readonly outputs: ReadonlySet<string>;
}

/** The graph with such values as constants that are computed when the program is loaded ({@link GraphConstant.by}). */
export function withoutFrozen(graph: Graph): Graph {
  const weights = new Set(runInputs(graph));
  const producers = new Map<string, Node>();
  const readers = readersOf(graph.nodes);
  const frozen = new Set(graph.constants.keys());
  for (const node of graph.nodes) {
    for (const o of node.outputs) producers.set(o, node);
    if (reads(node).every((name) => name === '' || frozen.has(name)))
      for (const o of node.outputs) if (o !== '') frozen.add(o);
  }
  const places = new Map(graph.nodes.map((node, i) => [node, i]));
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (frozen.has(name) && producers.has(name)) wanted.add(unstretched(producers, name));
  };
  for (const node of graph.nodes)
    if (node.outputs.some((o) => o !== '' && !frozen.has(o))) for (const name of reads(node)) want(name);
  const outputs = new Set(graph.outputs.map((v) => v.name));
  const constants = new Map(graph.constants);
  const replaced = new Set<string>();
  for (const name of wanted) {
    if (!producers.has(name) || outputs.has(name)) continue;
    const behind = collect(graph, producers, places, name);
    if (!isWorthIt(behind, weights) && !isOnlyLaidOut(behind, { readers, outputs })) continue;
    constants.set(name, computedBy(behind));
    replaced.add(name);
  }
  if (replaced.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (!node.outputs.some((o) => replaced.has(o))) return [node];
    if (node.outputs.every((o) => o === '' || replaced.has(o))) return [];
    // Its other results may still be asked for; these are made again for nobody.
    const again = node.outputs.map((o) => (replaced.has(o) ? apart(`${o}/again`, graph.values.keys()) : o));
    return [{ ...node, outputs: again }];
  });
  return prune({ ...graph, nodes, constants });
}

/** The value before it is stretched to a batch. */
function unstretched(producers: ReadonlyMap<string, Node>, name: string): string {
  for (;;) {
    const node = producers.get(name);
    if (node?.domain !== '' || !['Expand', 'Tile'].includes(node.op)) return name;
    name = node.inputs[0]!;
  }
}

function collect(
  graph: Graph,
  producers: ReadonlyMap<string, Node>,
  places: ReadonlyMap<Node, number>,
  name: string,
): Frozen {
  const nodes = new Set<Node>();
  const constants = new Map<string, GraphConstant>();
  const open = [name];
  while (open.length > 0) {
    const at = open.pop()!;
    const constant = graph.constants.get(at);
    if (constant) {
      constants.set(at, constant);
      continue;
    }
    const node = producers.get(at)!;
    if (nodes.has(node)) continue;
    nodes.add(node);
    for (const input of reads(node)) if (input !== '') open.push(input);
  }
  return {
    value: graph.values.get(name)!,
    nodes: [...nodes].sort((a, b) => places.get(a)! - places.get(b)!),
    constants,
  };
}

function isWorthIt({ value, nodes, constants }: Frozen, weights: ReadonlySet<string>): boolean {
  if (value.type === 'string' || ![...constants.keys()].some((name) => weights.has(name))) return false;
  if (nodes.every((node) => node.domain === '' && cheap.has(node.op))) return false;
  const size = byteLength(value.type, value.shape);
  const all = [...constants.values()].filter((c) => c.type !== 'string');
  const held = all.reduce((sum, c) => sum + byteLength(c.type, c.shape), 0);
  const quantised = all.some((c) => /^u?int[48]$/.test(c.type));
  return size <= held || (!quantised && size <= MOST_GROWTH);
}

/** Whether nodes only put numbers into another layout. */
export const layOut = (nodes: readonly Node[]): boolean =>
  nodes.every((node) => node.domain === '' && ['Transpose', 'Reshape'].includes(node.op));

/** Whether this is a weight in another layout, of which nothing else reads it: then the other layout is held instead, and no run moves it. */
function isOnlyLaidOut({ nodes, constants, value }: Frozen, { readers, outputs }: Uses): boolean {
  if (!layOut(nodes)) return false;
  const weights = [...constants].filter(([, c]) => c.type === value.type);
  const [name, weight] = weights[0] ?? [];
  if (weights.length !== 1 || !name || weight?.type !== 'float32' || weight.by || outputs.has(name))
    return false;
  // The host moves matrices (runtime/weights.ts); others would take a session each.
  if (nodes.some((node) => node.op === 'Transpose') && weight.shape.length !== 2) return false;
  if (nodes.findLastIndex((node) => node.op === 'Transpose') > 0) return false;
  const own = new Set(nodes.flatMap((node) => node.outputs));
  return [name, ...own].every(
    (each) => each === value.name || (readers.get(each) ?? []).every((node) => nodes.includes(node)),
  );
}

/** Equal results of equal weights are one constant, whichever program asks: they are computed and held once. */
const known = new WeakMap<GraphConstant, Map<string, GraphConstant>>();
const numbers = new Numbered();

function computedBy({ value, nodes, constants }: Frozen): GraphConstant {
  const largest = [...constants.values()].reduce((a, b) =>
    b.type !== 'string' && byteLength(b.type, b.shape) > byteLength(a.type, a.shape) ? b : a,
  );
  const places = new Map<string, string>();
  const place = (name: string): string => {
    if (name === '') return '';
    const constant = constants.get(name);
    if (constant) return `c${signature(constant)}`;
    const seen = places.get(name) ?? `v${places.size}`;
    places.set(name, seen);
    return seen;
  };
  const key = JSON.stringify([
    nodes.map((n) => [n.domain, n.op, n.attributes, n.inputs.map(place), n.outputs.map(place)]),
    place(value.name),
  ]);
  const all = known.get(largest) ?? new Map<string, GraphConstant>();
  known.set(largest, all);
  const before = all.get(key);
  if (before) return before;
  const { type, shape } = value;
  const values = new Map<string, Value>([[value.name, value]]);
  const made: GraphConstant = {
    type,
    shape,
    data: { kind: 'external', location: '', offset: 0, length: byteLength(type, shape) },
    by: { inputs: [], outputs: [value], nodes, constants, values },
  };
  all.set(key, made);
  return made;
}

/** Small constants are told apart by what they hold: every program makes its own. */
const signature = (constant: GraphConstant): string =>
  constant.data.kind === 'inline' && constant.data.bytes.byteLength <= 1024
    ? `${constant.type}[${constant.shape.join()}]${Array.from(constant.data.bytes).join()}`
    : String(numbers.of(constant));
