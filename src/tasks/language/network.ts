/** @file A causal language model's graphs: which inputs it has, its scores, the loss, the next token's scores. */
import { type DimHints, unsaid } from '#src/graph/assume.ts';
import type { Builder } from '#src/graph/builder.ts';
import { evaluateDim, namesIn } from '#src/graph/dims.ts';
import { prune } from '#src/graph/prune.ts';
import { reads } from '#src/graph/topology.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { constantOf, tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { likelyDims } from '#src/ops/import/likelyDims.ts';
import type { LossSum } from '#src/optim/loss.ts';
import { builder } from '#src/ops/table.ts';
import { bindModel, layersOf } from '#src/tasks/generic/model.ts';
import { type Scores, scoresOf } from '#src/tasks/scores/scores.ts';
import { readTextInputs, textFeeds, type TextInputs, type TokenRow } from '#src/tasks/text/inputs.ts';
import type { ModelFile, Tensors, TrainedGraph } from '#src/tasks/types.ts';

/** Feeds of the loss, both [B·L]: the token that follows, and 1 where it counts. */
const nextFeed = 'next_tokens';
const countedFeed = 'counted';
/** Feed of sampling, [B]: at which place of all rows the next token is asked for. */
const placeFeed = 'places';

/** Throws ModelError for inputs that no causal language model has. */
export const readInputs = (file: Pick<ModelFile, 'path' | 'model'>): TextInputs =>
  readTextInputs(
    file,
    ['ids', 'mask', 'positions', 'types', 'past', 'branch'],
    'a language model takes input_ids, attention_mask, position_ids and past_key_values. Train it with the task "generic", or export it as text-generation.',
  );

/** optimum's merged decoders choose by an input whether there is a cache: there is none here, so that the choice is made once. */
function withoutCache(file: ModelFile, { roles }: TextInputs): ModelFile {
  const { graph } = file.model;
  const chosen = graph.inputs.filter(({ name }) => roles.get(name) === 'branch');
  if (chosen.length === 0) return file;
  const initializers = new Map(graph.initializers);
  for (const { name } of chosen) initializers.set(name, constantOf(tensor('bool', [1], [0])));
  const inputs = graph.inputs.filter((input) => !chosen.includes(input));
  return { ...file, model: { ...file.model, graph: { ...graph, inputs, initializers } } };
}

/** Heads and width of each input of the cache. Throws GraphError where neither the file nor those beside it say them. */
function cacheShapes(
  { path, model }: ModelFile,
  { roles }: TextInputs,
  hints: DimHints,
): ReadonlyMap<string, readonly [number, number]> {
  const past = model.graph.inputs.filter(({ name }) => roles.get(name) === 'past');
  if (past.length === 0) return new Map();
  const known = new Map(likelyDims(model, hints).map((d) => [d.name, d]));
  const sizes = new Map([...known].map(([name, d]) => [name, d.value]));
  return new Map(
    past.map(({ name, shape }) => {
      const at = (axis: number, what: string): number => {
        const dim = shape?.[axis] ?? null;
        if (typeof dim === 'number') return dim;
        const own = dim === null ? `${name}.${axis}` : dim;
        const size = evaluateDim(own, sizes);
        if (size === undefined || namesIn(own).some((n) => known.get(n)?.why === unsaid))
          throw new GraphError(
            `${path} does not say ${what} of its cache ${name}. Put the model's config.json or genai_config.json beside it, or export the model without a cache (use_cache=False).`,
          );
        return size;
      };
      return [name, [at(1, 'the number of heads'), at(3, 'the width')]];
    }),
  );
}

export class LanguageNetwork {
  readonly file: ModelFile;
  /** Heads and width of each input of the cache. */
  readonly #cache: ReadonlyMap<string, readonly [number, number]>;

  constructor(
    file: ModelFile,
    readonly inputs: TextInputs,
    hints: DimHints = {},
  ) {
    this.file = withoutCache(file, inputs);
    this.#cache = cacheShapes(this.file, inputs, hints);
  }

  /** The graph at a batch and length with its scores [B, L, V] as the only output. */
  graph(batch: number, length: number): Graph {
    return this.scores(batch, length).graph;
  }

  /** The same, with what was found at the model's end. Nothing came before: the cache is empty. */
  scores(batch: number, length: number): Scores {
    const shapes = new Map<string, readonly number[]>();
    for (const { name } of this.file.model.graph.inputs) {
      const cache = this.#cache.get(name);
      shapes.set(name, cache ? [batch, cache[0], 0, cache[1]] : [batch, length]);
    }
    const graph = bindModel(this.file, shapes);
    const logits =
      graph.outputs.find((v) => v.name === 'logits') ??
      graph.outputs.find((v) => v.shape.length === 3 && v.shape[0] === batch && v.shape[1] === length);
    if (!logits?.type.startsWith('float') || logits.shape.length !== 3 || logits.shape[1] !== length)
      throw new GraphError(
        `${this.file.path} gives no scores for the next token (an output [batch, length, words]); it gives ${graph.outputs.map((v) => `${v.name} [${v.shape.join()}]`).join(', ')}. Export it as text-generation, not as feature-extraction.`,
      );
    const scores = scoresOf(graph, logits, 2);
    const pruned = prune(scores.graph);
    const used = new Set(pruned.nodes.flatMap((node) => [...reads(node)]));
    const left = pruned.inputs.filter((v) => used.has(v.name));
    const cache = left.find((v) => this.inputs.roles.get(v.name) === 'past');
    if (cache)
      throw new GraphError(
        `${this.file.path} computes with its cache ${cache.name} even where it is empty. Export the model without a cache (use_cache=False).`,
      );
    return { ...scores, graph: { ...pruned, inputs: left } };
  }

  words(graph: Graph): number {
    return graph.outputs[0]!.shape[2]!;
  }

  layers() {
    return layersOf(this.graph(this.inputs.batch ?? 1, this.inputs.length ?? 8), this.file);
  }

  training(batch: number, length: number): TrainedGraph {
    const { graph, value, scale } = this.scores(batch, length);
    return {
      graph,
      layers: findLayers(graph),
      loss: (g, outputs) => negativeLog(g, outputs.get(value.name)!, scale),
    };
  }

  /** Its output: the sum of −ln p of the tokens that count. */
  judging(batch: number, length: number): { readonly graph: Graph; readonly output: string } {
    const { graph, value, scale } = this.scores(batch, length);
    const g = builder(graph);
    const { sum } = negativeLog(g, value, scale);
    return { graph: prune(g.build([sum])), output: sum.name };
  }

  /** Its output [B, V]: scores of the token after one place in each row. */
  next(batch: number, length: number): { readonly graph: Graph; readonly output: string } {
    const graph = this.graph(batch, length);
    const g = builder(graph);
    const logits = graph.outputs[0]!;
    const rows = g.reshape(logits, [batch * length, logits.shape[2]!]);
    const chosen = g.emit('Gather', [rows, g.input(placeFeed, 'int32', [batch])], { axis: 0 });
    return { graph: prune(g.build([chosen])), output: chosen.name };
  }

  /** The model's inputs for rows of tokens, [B, L] each. */
  feeds(graph: Graph, rows: readonly TokenRow[]): Record<string, TypedArray> {
    return textFeeds(graph, this.inputs, rows);
  }

  /** Feeds of the loss. */
  answers(rows: readonly { readonly next: Int32Array; readonly counted: Uint8Array }[]): Tensors {
    const length = rows[0]!.next.length;
    const next = new Int32Array(rows.length * length);
    const counted = new Float32Array(rows.length * length);
    rows.forEach((row, r) => {
      next.set(row.next, r * length);
      counted.set(row.counted, r * length);
    });
    return { [nextFeed]: next, [countedFeed]: counted };
  }

  /** Feed of `next`. @param at place in each row */
  places(at: readonly number[], length: number): Tensors {
    return { [placeFeed]: Int32Array.from(at, (place, r) => r * length + place) };
  }
}

/** −ln p[next] over the tokens that count, ln p = ln softmax(scores) or as it is given: only the wanted scores are picked, since a one-hot target would be as large as the scores. */
function negativeLog(g: Builder, logits: Value, scale: Scores['scale']): LossSum {
  const [batch, length, words] = logits.shape as [number, number, number];
  const rows = batch * length;
  const flat = g.reshape(logits, [rows, words]);
  const log = scale === 'logits' ? g.emit('LogSoftmax', [flat], { axis: -1 }) : flat;
  const next = g.reshape(g.input(nextFeed, 'int32', [rows]), [rows, 1]);
  const picked = g.reshape(g.emit('GatherElements', [log, next], { axis: 1 }), [rows]);
  const counted = g.input(countedFeed, 'float32', [rows]);
  // Row by row first: the runtimes add in float32, in a plain running sum.
  const total = (x: Value): Value => g.reduceSum(g.reduceSum(g.reshape(x, [batch, length]), [1]), [0]);
  return { sum: g.neg(total(g.mul(picked, counted))), count: total(counted) };
}
