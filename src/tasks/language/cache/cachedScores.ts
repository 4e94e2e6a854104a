/** @file Scores of the next token by a cache: what was computed of a text stays, as long as the text only grows. */
import { GraphError } from '#src/graph/types.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import type { Adapted, RunGraph, Tensors } from '#src/tasks/types.ts';
import type { LanguageNetwork } from '../network.ts';
import { type Cached, type Incremental, incremental, orderFeed, rowsFeed } from './incremental.ts';

/** Places of a run: a prompt is read so many at a time. One more costs next to nothing, since weights must be read either way. */
const ROWS = 8;

export class CachedScores {
  readonly #network: LanguageNetwork;
  readonly #length: number;
  readonly #made: Incremental;
  readonly #run: RunGraph;
  readonly #held: ReadonlyMap<Cached, Float32Array>;
  readonly #pad: number;
  /** Of this text all places are in the cache. */
  #known: readonly number[] = [];

  private constructor(
    network: LanguageNetwork,
    length: number,
    pad: number,
    { made, run }: { readonly made: Incremental; readonly run: RunGraph },
  ) {
    this.#network = network;
    this.#length = length;
    this.#pad = pad;
    this.#made = made;
    this.#run = run;
    this.#held = new Map(made.caches.map((c) => [c, new Float32Array(sizeOf(c.shape))]));
  }

  /**
   * null: this model's scores are not to be had place by place, or it would not pay.
   * @param length places of the longest text
   */
  static async open(
    network: LanguageNetwork,
    length: number,
    pad: number,
    adapted: Adapted,
  ): Promise<CachedScores | null> {
    if ((network.inputs.batch ?? 1) !== 1 || length < 4 * ROWS) return null;
    const made = incrementalOf(network, length);
    if (!made) return null;
    const cached = new CachedScores(network, length, pad, {
      made,
      run: await adapted.run('language cached', made.graph),
    });
    return (await cached.#looksBackOnly()) ? cached : null;
  }

  /** Scores of the token after a text of at most `length` tokens. */
  async next(ids: readonly number[]): Promise<Float32Array> {
    let done = 0;
    // The last place is always asked for: its scores are wanted.
    while (done < Math.min(this.#known.length, ids.length - 1) && this.#known[done] === ids[done]) done += 1;
    let scores: Float32Array | null = null;
    while (done < ids.length) {
      const start = Math.max(0, Math.min(done, this.#length - ROWS));
      const all = await this.#place(ids, start);
      done = Math.min(start + ROWS, ids.length);
      const words = all.length / ROWS;
      scores = all.subarray((done - 1 - start) * words, (done - start) * words);
    }
    this.#known = [...ids];
    return scores!;
  }

  /** Computes the places from `start` on, and keeps what they give to the cache. [rows · words] */
  async #place(ids: readonly number[], start: number): Promise<Float32Array> {
    const length = this.#length;
    const row = new Int32Array(length).fill(this.#pad);
    row.set(ids);
    const out = await this.#run({
      ...this.#network.feeds(this.#made.graph, [{ ids: row, real: ids.length }]),
      ...Object.fromEntries([...this.#held].map(([c, numbers]) => [c.input, numbers])),
      [rowsFeed]: Int32Array.from({ length: ROWS }, (_, i) => start + i),
      [orderFeed]: Int32Array.from({ length }, (_, i) =>
        i >= start && i < start + ROWS ? length + i - start : i,
      ),
    } satisfies Tensors);
    for (const [c, numbers] of this.#held) write(c, numbers, out[c.output] as Float32Array, start);
    return (out[this.#made.output] as Float32Array).slice();
  }

  /** Whether a place's scores are the same whatever comes after it: the model is causal, and its past may be kept. */
  async #looksBackOnly(): Promise<boolean> {
    const known = causal.get(this.#network);
    if (known !== undefined) return known;
    const begin = Array.from({ length: ROWS }, (_, i) => i % 4);
    const first = await this.#place(begin, 0);
    const other = await this.#place(
      [...begin.slice(0, ROWS / 2), ...begin.slice(ROWS / 2).map((id) => 3 - id)],
      0,
    );
    const half = first.length / 2;
    const same = first.subarray(0, half).every((x, i) => x === other[i]);
    causal.set(this.#network, same);
    this.#known = [];
    return same;
  }
}

const causal = new WeakMap<LanguageNetwork, boolean>();

/** Of each network the graph that was made last: one text after another asks for the same. */
const lastMade = new WeakMap<
  LanguageNetwork,
  { readonly length: number; readonly found: Incremental | null }
>();

function incrementalOf(network: LanguageNetwork, length: number): Incremental | null {
  const before = lastMade.get(network);
  if (before?.length === length) return before.found;
  const found = derived(network, length);
  lastMade.set(network, { length, found });
  return found;
}

function derived(network: LanguageNetwork, length: number): Incremental | null {
  const graph = network.graph(1, length);
  const texts = graph.inputs.map((v) => v.name).filter((name) => network.inputs.roles.get(name) !== 'mask');
  try {
    const found = incremental(graph, graph.outputs[0]!, ROWS, new Set(texts));
    return found.caches.length > 0 ? found : null;
  } catch (error) {
    // The whole text gives the same scores, slower.
    if (error instanceof GraphError) return null;
    throw error;
  }
}

/** Puts the parts of some places among those of all, along the cache's axis. */
function write({ shape, axis }: Cached, all: Float32Array, some: Float32Array, start: number): void {
  const inner = sizeOf(shape.slice(axis + 1));
  const length = shape[axis]!;
  const rows = some.length / (all.length / length);
  for (let o = 0; o < sizeOf(shape.slice(0, axis)); o++)
    all.set(some.subarray(o * rows * inner, (o + 1) * rows * inner), (o * length + start) * inner);
}
