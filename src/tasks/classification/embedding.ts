/** @file A new last layer on top of a model that gives embeddings: sentence encoders, DINO, CLIP and the like have none that tells classes apart. */
import { attributes, type AttributeInput } from '#src/graph/attributes.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { ModelError, type Model, type Node } from '#src/onnx/model.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import type { ModelFile } from '#src/tasks/types.ts';
import type { ClassOptions } from './options.ts';
import { logitsOf, replaceHead } from './head.ts';

/** What the embeddings are pooled by. */
export interface Pooling {
  /** The input that says which tokens count, [B, L]; null: all do. */
  readonly mask: string | null;
  /** Channels of pictures come last. */
  readonly channelsLast?: boolean;
}

/** Until the data's classes are known; a merged file has theirs. */
const CLASSES = 2;
/** No module of any framework is called so: files of adapters cannot hold it, and say so. */
const STEM = 'rotune/head';

/**
 * The output that a new last layer goes on top of; null: the model has a last layer of its own, or it was asked to be kept.
 *
 * That is scores behind an end that no layer can be taken out of (an embedding: pooled, normalised), else the first output of floats with a
 * row of numbers for each token, patch or place.
 *
 * @param names of the model's own classes; where they are known, its end is left alone unless a new one was asked for
 */
export function embeddingOf(
  graph: Graph,
  head: ClassOptions['head'],
  names: readonly string[] | null,
): Value | null {
  if (head === 'keep') return null;
  try {
    const own = logitsOf(graph);
    if (head === 'auto' && names?.length === own.classes) return null;
    try {
      replaceHead(own, own.classes + 1, 0);
      return null;
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      return own.output;
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const rich = (v: Value, rank: number): boolean =>
      v.type.startsWith('float') && v.shape.length === rank && v.shape.every((d) => d > 0);
    return graph.outputs.find((v) => rich(v, 3)) ?? graph.outputs.find((v) => rich(v, 4)) ?? null;
  }
}

/** Nodes of a model's file that hold for every version of the standard operators from 7 on. */
class Nodes {
  readonly nodes: Node[] = [];
  readonly #taken: ReadonlySet<string>;

  constructor({ graph }: Model) {
    this.#taken = new Set([
      ...graph.inputs.map((v) => v.name),
      ...graph.initializers.keys(),
      ...graph.nodes.flatMap((n) => n.outputs),
    ]);
  }

  free(name: string): string {
    while (this.#taken.has(name)) name += '_';
    return name;
  }

  emit(op: string, inputs: string[], attrs: Record<string, AttributeInput> = {}, as?: string): string {
    const output = this.free(as ?? `${STEM}/${op}_${this.nodes.length}`);
    this.nodes.push({
      op,
      domain: '',
      name: output,
      inputs,
      outputs: [output],
      attributes: attributes(attrs),
    });
    return output;
  }
}

/** torch's number of ONNX's element type float32. */
const FLOAT = 1;

/**
 * The file with a linear layer on top of an output, as its first output `[B, classes]`: of two axes as it is, of tokens their mean over those
 * that count, of patches and places their mean. It is trained, saved and merged like any last layer of a file.
 *
 * @param embedding as bound: [B, D], [B, L, D], or of pictures [B, D, h, w]
 */
export function withEmbeddingHead(
  file: ModelFile,
  embedding: Value,
  { mask, channelsLast = false }: Pooling,
): ModelFile {
  const { graph } = file.model;
  const made = new Nodes(file.model);
  const initializers = new Map(graph.initializers);
  const rank = embedding.shape.length;
  const channels = rank === 4 && !channelsLast ? 1 : rank - 1;
  const width = embedding.shape[channels]!;
  let value = made.emit('Cast', [embedding.name], { to: FLOAT });
  if (rank > 2) {
    if (channels !== 1)
      value = made.emit('Transpose', [value], { perm: rank === 3 ? [0, 2, 1] : [0, 3, 1, 2] });
    if (mask !== null && rank === 3) {
      const row = made.free(`${STEM}/row`);
      initializers.set(row, constantOf(tensor('int64', [3], [0, 1, -1])));
      const counted = made.emit('Reshape', [made.emit('Cast', [mask], { to: FLOAT }), row]);
      const share = made.emit('GlobalAveragePool', [counted]);
      const sum = made.emit('GlobalAveragePool', [made.emit('Mul', [value, counted])]);
      value = made.emit('Div', [sum, share]);
    } else value = made.emit('GlobalAveragePool', [value]);
    value = made.emit('Flatten', [value], { axis: 1 });
  }
  const [weight, bias] = [made.free(`${STEM}.weight`), made.free(`${STEM}.bias`)];
  const zeros = (...shape: number[]) =>
    tensor('float32', shape, new Float32Array(shape.reduce((n, d) => n * d, 1)));
  initializers.set(weight, constantOf(zeros(CLASSES, width)));
  initializers.set(bias, constantOf(zeros(CLASSES)));
  const output = made.emit('Gemm', [value, weight, bias], { transB: 1 }, 'rotune/logits');
  const first = graph.inputs[0]?.shape?.[0] ?? null;
  const scores = { name: output, type: 'float32' as const, shape: [first, CLASSES] };
  const whole = {
    ...graph,
    initializers,
    nodes: [...graph.nodes, ...made.nodes],
    outputs: [scores, ...graph.outputs],
  };
  return { ...file, model: { ...file.model, graph: whole } };
}

/** Whether a weight is the layer that {@link withEmbeddingHead} added. */
export const isAddedHead = (initializer: string): boolean => initializer.startsWith(`${STEM}.weight`);
