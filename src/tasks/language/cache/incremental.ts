/**
 * @file A causal model's graph for the next few places of a text: what earlier places gave to attention is fed back from a cache, so that a token costs one
 * place instead of all. It is made of the graph that sees the whole text, whatever exporter wrote it.
 *
 * Asked for are a few places of the scores. Node by node that comes to the same places of what the node reads (rules.ts), until a product
 * multiplies by something that all places have made: keys and values. Their own few places are computed, and put among those that the cache has.
 */
import { type Graph, GraphError, reportIt, type Value } from '#src/graph/types.ts';
import { prune } from '#src/graph/prune.ts';
import type { Node } from '#src/onnx/model.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { type Need, type Part, partOf, type Places } from './rules.ts';

/** Feeds: the places asked for [rows], and for each place of the text [length] where it lies: `length + i` for the i-th of them, else itself. */
export const rowsFeed = 'cache rows';
export const orderFeed = 'cache order';

/** A tensor that all places have a part in. */
export interface Cached {
  /** Feed with what earlier runs gave. */
  readonly input: string;
  /** Output with the parts of the asked places, on the same axis. */
  readonly output: string;
  readonly shape: readonly number[];
  readonly axis: number;
}

export interface Incremental {
  readonly graph: Graph;
  /** The scores of the asked places. */
  readonly output: string;
  readonly caches: readonly Cached[];
}

/** Of scores and inputs: [1, length, …]. */
const ASKED: Places = { axis: 1, groups: 1, inner: 1 };

interface Asked {
  whole: boolean;
  /** Of which only the asked places are wanted. */
  readonly some: Map<string, Places>;
  /** Axis of which all places are wanted, from the cache but for the asked ones. */
  readonly cached: Map<string, Places>;
}

class Asking {
  readonly #asked = new Map<string, Asked>();

  of(name: string): Asked {
    const known = this.#asked.get(name) ?? { whole: false, some: new Map(), cached: new Map() };
    this.#asked.set(name, known);
    return known;
  }

  /** Of which the asked places must be made. */
  parts(name: string): ReadonlyMap<string, Places> {
    const { some, cached } = this.of(name);
    return new Map([...some, ...cached]);
  }
}

const keyOf = ({ axis, groups, inner }: Places): string => `${axis}/${groups}/${inner}`;
const partKey = (node: Node, key: string): string => `${node.outputs.join()} ${key}`;

/**
 * @param graph its batch is 1
 * @param scores an output [1, length, words]
 * @param rows places of a run
 * @param texts inputs that hold one number for each place of the text
 */
export function incremental(
  graph: Graph,
  scores: Value,
  rows: number,
  texts: ReadonlySet<string>,
): Incremental {
  const length = scores.shape[1]!;
  const places = placesIn(graph, texts, length);
  const asking = new Asking();
  asking.of(scores.name).some.set(keyOf(ASKED), ASKED);
  const parts = new Map<string, Part>();
  const value = (name: string): Value => graph.values.get(name)!;
  for (const node of [...graph.nodes].reverse()) ask(node);

  function ask(node: Node): void {
    const inputs = node.inputs.map((name) => (name === '' ? null : value(name)));
    let whole = false;
    for (const name of node.outputs) {
      if (name === '') continue;
      const asked = asking.of(name);
      for (const [key, wanted] of asking.parts(name)) {
        const part = partOf(node, inputs, value(name), wanted);
        if (part) parts.set(partKey(node, key), part);
        else asked.whole = true;
        part?.needs.forEach((need, i) => {
          const input = inputs[i];
          if (!input) return;
          const shared = node.op === 'MatMul' && i === 1 ? [...(places.get(input.name)?.values() ?? [])] : [];
          if (need !== 'whole') asking.of(input.name).some.set(keyOf(need), need);
          else if (shared.length === 1 && shared[0]!.groups * shared[0]!.inner === 1)
            asking.of(input.name).cached.set(keyOf(shared[0]!), shared[0]!);
          else asking.of(input.name).whole = true;
        });
      }
      whole ||= asked.whole;
    }
    if (whole) for (const input of inputs) if (input) asking.of(input.name).whole = true;
  }
  return emitted(graph, scores, rows, { asking, parts, length });
}

/** All ways in which places can lie along an axis of so many times their number. */
function ways(axis: number, times: number): Places[] {
  if (!Number.isInteger(times) || times === 0) return [];
  const all = Array.from({ length: times }, (_, i) => i + 1);
  return all.flatMap((groups) => (times % groups === 0 ? [{ axis, groups, inner: times / groups }] : []));
}

/** Where the text's places lie in the values that hang on it. */
function placesIn(
  graph: Graph,
  texts: ReadonlySet<string>,
  length: number,
): ReadonlyMap<string, ReadonlyMap<string, Places>> {
  const all = new Map<string, Map<string, Places>>();
  for (const name of texts) all.set(name, new Map([[keyOf(ASKED), ASKED]]));
  const value = (name: string): Value => graph.values.get(name)!;
  for (const node of graph.nodes) {
    if (!node.inputs.some((name) => all.has(name))) continue;
    const inputs = node.inputs.map((name) => (name === '' ? null : value(name)));
    const is = (i: number, need: Need): boolean =>
      need !== 'whole' && (all.get(node.inputs[i]!)?.has(keyOf(need)) ?? false);
    for (const name of node.outputs) {
      if (name === '') continue;
      const { shape } = value(name);
      const found = new Map<string, Places>();
      for (const here of shape.flatMap((d, axis) => ways(axis, d / length))) {
        const made =
          node.op === 'MatMul' && here.axis === shape.length - 1
            ? is(1, { ...here, axis: (inputs[1]?.shape.length ?? 0) - 1 })
            : partOf(node, inputs, value(name), here)?.needs.some((need, i) => is(i, need));
        if (made) found.set(keyOf(here), here);
      }
      all.set(name, found);
    }
  }
  return all;
}

const multiplying = new Set(['MatMul', 'Gemm', 'Conv', 'Gather']);

interface Found {
  readonly asking: Asking;
  readonly parts: ReadonlyMap<string, Part>;
  readonly length: number;
}

function emitted(graph: Graph, scores: Value, rows: number, { asking, parts, length }: Found): Incremental {
  const g = builder();
  g.startFrom(graph);
  for (const [name, constant] of graph.constants) g.initializer(name, constant);
  const places = g.input(rowsFeed, 'int32', [rows]);
  const order = g.input(orderFeed, 'int32', [length]);
  const partly = new Map<string, Value>();
  const full = new Map<string, Value>();
  const caches: Cached[] = [];
  const outputs: Value[] = [];
  const taken = (name: string, wanted: Places): Value => {
    const known = partly.get(`${name} ${keyOf(wanted)}`);
    if (!known)
      throw new GraphError(`The places of ${name} are asked for and were never made.`, { cure: reportIt });
    return known;
  };
  /** Indices of the asked places along an axis. */
  const indices = ({ groups, inner }: Places): Value => {
    if (groups * inner === 1) return places;
    const series = (n: number, step: number): number[] => Array.from({ length: n }, (_, i) => i * step);
    const firsts = g.constant(tensor('int32', [groups, 1, 1], series(groups, length * inner)));
    const within = g.constant(tensor('int32', [1, 1, inner], series(inner, 1)));
    const at = g.mul(g.reshape(places, [1, rows, 1]), g.scalar(inner, 'int32'));
    return g.reshape(g.add(g.add(at, firsts), within), [groups * rows * inner]);
  };
  /** What of a value was asked for besides what its node gives. */
  const made = (name: string): void => {
    const known = g.values.get(name);
    for (const [key, wanted] of asking.parts(name)) {
      if (partly.has(`${name} ${key}`) || !known) continue;
      const { axis, groups, inner } = wanted;
      if (known.shape[axis] !== groups * length * inner)
        throw new GraphError(`${name} has ${known.shape[axis]} places, not ${groups * length * inner}.`, {
          cure: reportIt,
        });
      partly.set(`${name} ${key}`, g.emit('Gather', [known, indices(wanted)], { axis }));
    }
    for (const wanted of asking.of(name).cached.values()) {
      const { axis } = wanted;
      const own = taken(name, wanted);
      const { shape } = graph.values.get(name)!;
      const input = g.input(`cache ${caches.length}`, own.type, shape);
      full.set(name, g.emit('Gather', [g.concat([input, own], axis), order], { axis }));
      const output = g.output(own, `cached ${caches.length}`);
      caches.push({ input: input.name, output: output.name, shape, axis });
      outputs.push(output);
    }
  };
  for (const name of graph.constants.keys()) made(name);
  for (const input of graph.inputs) made(input.name);
  const emittedOnce = new Set<string>();
  const once = (node: Node): void => {
    // An adapter is put into the node of a layer's name, of which there must be one.
    if (
      multiplying.has(node.op) &&
      node.inputs.some((name) => graph.constants.has(name)) &&
      emittedOnce.has(node.name)
    )
      throw new GraphError(`${node.op} ${node.name} is wanted for some places and for all.`, {
        cure: reportIt,
      });
    emittedOnce.add(node.name);
  };
  const again = (node: Node, { axis, groups, inner }: Places, part: Part): Value[] => {
    once(node);
    const inputs = node.inputs.map((name, i) => {
      if (name === '') return null;
      const need = part.needs[i]!;
      return need === 'whole' ? (full.get(name) ?? g.value(name)) : taken(name, need);
    });
    if (part.shaped) {
      const shape = graph.values
        .get(node.outputs[0]!)!
        .shape.map((d, i) => (i === axis ? groups * rows * inner : d));
      return [node.op === 'Expand' ? g.expand(inputs[0]!, shape) : g.reshape(inputs[0]!, shape)];
    }
    const names = node.outputs.map((o) => (o === '' ? '' : g.fresh(`${o}/rows`)));
    return g.append({ ...node, inputs: inputs.map((v) => v?.name ?? ''), outputs: names });
  };
  for (const node of graph.nodes) {
    const asked = node.outputs.filter((o) => o !== '').map((o) => asking.of(o));
    if (asked.some((a) => a.whole)) {
      once(node);
      g.append(node);
    }
    const wanted = new Map(node.outputs.flatMap((o) => (o === '' ? [] : [...asking.parts(o)])));
    for (const [key, where] of wanted) {
      const part = parts.get(partKey(node, key));
      if (!part) continue;
      again(node, where, part).forEach((v, i) => partly.set(`${node.outputs[i]} ${key}`, v));
    }
    for (const o of node.outputs) if (o !== '') made(o);
  }
  const output = taken(scores.name, ASKED);
  return { graph: prune(g.build([output, ...outputs])), output: output.name, caches };
}
