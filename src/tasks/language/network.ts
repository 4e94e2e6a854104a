/** @file A causal language model's graphs: which inputs it has, its scores, the loss, the next token's scores. */
import type { Builder } from '#src/graph/builder.ts';
import { prune } from '#src/graph/prune.ts';
import { reads } from '#src/graph/topology.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers.ts';
import { ModelError, type ModelValue } from '#src/onnx/model.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { bindModel, layersOf } from '#src/tasks/generic/model.ts';
import type { ModelFile, Tensors, TrainedGraph } from '#src/tasks/types.ts';

/** Feeds of the loss, both [B·L]: the token that follows, and how much it counts. */
const nextFeed = 'next_tokens';
const countedFeed = 'counted';
/** Feed of sampling, [B]: at which place of all rows the next token is asked for. */
const placeFeed = 'places';

/** What each known input of a causal model is. */
type Role = 'ids' | 'mask' | 'positions' | 'types' | 'past';

function roleOf({ name, shape }: ModelValue): Role | null {
  if (/^(past_key_values|past)[._]|^past_?\d|past.*(key|value)/i.test(name) && shape?.length === 4)
    return 'past';
  if (/attention_?mask|^mask$/i.test(name)) return 'mask';
  if (/position_?ids/i.test(name)) return 'positions';
  if (/token_?type_?ids/i.test(name)) return 'types';
  return /input_?ids|^input$|^tokens$|^ids$/i.test(name) ? 'ids' : null;
}

export interface Inputs {
  readonly roles: ReadonlyMap<string, Role>;
  readonly ids: string;
  /** Batch and length that the file fixes; null: free. */
  readonly batch: number | null;
  readonly length: number | null;
}

/** Throws ModelError for inputs that no causal language model has. */
export function readInputs(file: ModelFile): Inputs {
  const roles = new Map<string, Role>();
  const { inputs } = file.model.graph;
  for (const input of inputs) {
    const role = roleOf(input);
    if (!role)
      throw new ModelError(
        `${file.path} has an input ${input.name} that text has nothing for: a language model takes input_ids, attention_mask, position_ids and past_key_values. Train it with the task "generic", or export it as text-generation.`,
      );
    roles.set(input.name, role);
  }
  const ids = inputs.find((v) => roles.get(v.name) === 'ids');
  if (!ids)
    throw new ModelError(
      `${file.path} has no input_ids: it takes no text. Its inputs are ${inputs.map((v) => v.name).join(', ')}.`,
    );
  const fixed = (axis: number): number | null => {
    const dim = ids.shape?.[axis];
    return typeof dim === 'number' ? dim : null;
  };
  return { roles, ids: ids.name, batch: fixed(0), length: fixed(1) };
}

export class LanguageNetwork {
  constructor(
    readonly file: ModelFile,
    readonly inputs: Inputs,
  ) {}

  /** The graph at a batch and length with its scores [B, L, V] as the only output. Nothing came before: the cache is empty. */
  graph(batch: number, length: number): Graph {
    const shapes = new Map<string, readonly number[]>();
    for (const { name, shape } of this.file.model.graph.inputs) {
      if (this.inputs.roles.get(name) !== 'past') {
        shapes.set(name, [batch, length]);
        continue;
      }
      const [, heads, , width] = shape!;
      if (typeof heads !== 'number' || typeof width !== 'number')
        throw new GraphError(
          `${this.file.path}: the shape of its cache ${name} is not fixed. Export the model without a cache (use_cache=False).`,
        );
      shapes.set(name, [batch, heads, 0, width]);
    }
    const graph = bindModel(this.file, shapes);
    const logits =
      graph.outputs.find((v) => v.name === 'logits') ??
      graph.outputs.find((v) => v.shape.length === 3 && v.shape[0] === batch && v.shape[1] === length);
    if (!logits?.type.startsWith('float') || logits.shape.length !== 3 || logits.shape[1] !== length)
      throw new GraphError(
        `${this.file.path} gives no scores for the next token (an output [batch, length, words]); it gives ${graph.outputs.map((v) => `${v.name} [${v.shape.join()}]`).join(', ')}. Export it as text-generation, not as feature-extraction.`,
      );
    const pruned = prune({ ...graph, outputs: [logits] });
    const used = new Set(pruned.nodes.flatMap((node) => [...reads(node)]));
    const left = pruned.inputs.filter((v) => used.has(v.name));
    const cache = left.find((v) => this.inputs.roles.get(v.name) === 'past');
    if (cache)
      throw new GraphError(
        `${this.file.path} computes with its cache ${cache.name} even where it is empty. Export the model without a cache (use_cache=False).`,
      );
    return { ...pruned, inputs: left };
  }

  words(graph: Graph): number {
    return graph.outputs[0]!.shape[2]!;
  }

  layers() {
    return layersOf(this.graph(this.inputs.batch ?? 1, this.inputs.length ?? 8), this.file);
  }

  training(batch: number, length: number): TrainedGraph {
    const graph = this.graph(batch, length);
    return {
      graph,
      layers: findLayers(graph),
      loss: (g, outputs) => negativeLog(g, outputs.get(graph.outputs[0]!.name)!),
    };
  }

  /** Its output: the weighted sum of −ln p of the tokens that follow. */
  judging(batch: number, length: number): { readonly graph: Graph; readonly output: string } {
    const graph = this.graph(batch, length);
    const g = builder(graph);
    const loss = negativeLog(g, graph.outputs[0]!);
    return { graph: prune(g.build([loss])), output: loss.name };
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

  /** The model's inputs for rows of tokens, [B, L] each. @param real tokens before the padding, by row */
  feeds(
    graph: Graph,
    rows: readonly { readonly ids: Int32Array; readonly real: number }[],
  ): Record<string, TypedArray> {
    const feeds: Record<string, TypedArray> = {};
    for (const { name, type, shape } of graph.inputs) {
      const role = this.inputs.roles.get(name);
      if (role === undefined) continue;
      const length = shape[1]!;
      const values = new Int32Array(shape[0]! * length);
      rows.forEach(({ ids, real }, r) => {
        for (let i = 0; i < length; i++) {
          const at = r * length + i;
          if (role === 'ids') values[at] = ids[i]!;
          else if (role === 'mask') values[at] = i < real ? 1 : 0;
          else if (role === 'positions') values[at] = i;
        }
      });
      feeds[name] = inType(type, values);
    }
    return feeds;
  }

  /** Feeds of the loss: each counted token weighs `weight`. */
  answers(
    rows: readonly { readonly next: Int32Array; readonly counted: Uint8Array }[],
    weight: number,
  ): Tensors {
    const length = rows[0]!.next.length;
    const next = new Int32Array(rows.length * length);
    const counted = new Float32Array(rows.length * length);
    rows.forEach((row, r) => {
      next.set(row.next, r * length);
      row.counted.forEach((c, i) => (counted[r * length + i] = c * weight));
    });
    return { [nextFeed]: next, [countedFeed]: counted };
  }

  /** Feed of `next`. @param at place in each row */
  places(at: readonly number[], length: number): Tensors {
    return { [placeFeed]: Int32Array.from(at, (place, r) => r * length + place) };
  }
}

/** Σ counted · −ln softmax(scores)[next]: only the wanted scores are picked, since a one-hot target would be as large as the scores. */
function negativeLog(g: Builder, logits: Value): Value {
  const [batch, length, words] = logits.shape as [number, number, number];
  const rows = batch * length;
  const log = g.emit('LogSoftmax', [g.reshape(logits, [rows, words])], { axis: -1 });
  const next = g.reshape(g.input(nextFeed, 'int32', [rows]), [rows, 1]);
  const picked = g.reshape(g.emit('GatherElements', [log, next], { axis: 1 }), [rows]);
  const counted = g.input(countedFeed, 'float32', [rows]);
  return g.neg(g.reduceSum(g.mul(picked, counted), [0]));
}

function inType(type: Value['type'], values: Int32Array): TypedArray {
  if (type === 'int64') return BigInt64Array.from(values, BigInt);
  if (type === 'bool') return Uint8Array.from(values);
  return type === 'float32' ? Float32Array.from(values) : values;
}
