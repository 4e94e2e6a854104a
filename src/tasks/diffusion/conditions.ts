/** @file What the network is told of a caption: what frozen text encoders made of it, or its token ids where they are trained. */
import type { Value } from '#src/graph/types.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Tell, Tensors } from '../types.ts';
import { joined } from './rows.ts';
import type { CaptionTokenizer } from './tokenizer.ts';

/** Tensors by the network's inputs, a row for each caption. */
export interface Conditions {
  /** Makes ready what `stack` will be asked for. */
  add(captions: Iterable<string>, tell?: Tell): Promise<void>;
  /** Throws RangeError for a caption that was not added. */
  stack(captions: readonly string[]): Tensors;
  /** As `stack`, for the negative half under guidance. */
  negatives(captions: readonly string[]): Tensors;
}

/** Token ids [batch, length] for each encoder → tensors of `batch` rows. Always called with the same batch. */
export type EncodeText = (ids: readonly Int32Array[], batch: number) => Promise<Tensors>;

export interface EmbeddingOptions {
  /** Rows per call of `encode`; the last call is filled up with empty captions. */
  readonly batch?: number;
  /** An empty negative prompt is all zeros (SDXL). */
  readonly zeroNegative?: boolean;
}

/** Each caption goes through the frozen text encoders once. */
export class CaptionEmbeddings implements Conditions {
  readonly #tokenizers: readonly CaptionTokenizer[];
  readonly #encode: EncodeText;
  readonly #batch: number;
  readonly #zeroNegative: boolean;
  readonly #known = new Map<string, Tensors>();

  constructor(tokenizers: readonly CaptionTokenizer[], encode: EncodeText, options: EmbeddingOptions = {}) {
    this.#tokenizers = tokenizers;
    this.#encode = encode;
    this.#batch = options.batch ?? 8;
    this.#zeroNegative = options.zeroNegative ?? false;
  }

  /**
   * Embeds the captions not known yet, in sorted order: the same set gives the same calls, and so the same bits, whatever the order of the
   * images.
   */
  async add(captions: Iterable<string>, tell?: Tell): Promise<void> {
    const wanted = [...new Set(captions)].filter((c) => !this.#known.has(c)).sort();
    for (let start = 0; start < wanted.length; start += this.#batch) {
      const rows = wanted.slice(start, start + this.#batch);
      const filled = Array.from({ length: this.#batch }, (_, i) => rows[i] ?? '');
      const out = await this.#encode(
        this.#tokenizers.map((tokenizer) => tokenizer.encodeAll(filled)),
        this.#batch,
      );
      rows.forEach((caption, i) => this.#known.set(caption, rowOf(out, i, this.#batch)));
      tell?.(start + rows.length, wanted.length);
    }
  }

  #get(caption: string): Tensors {
    const known = this.#known.get(caption);
    if (!known) throw new RangeError(`The caption "${caption}" was not embedded.`);
    return known;
  }

  stack(captions: readonly string[]): Tensors {
    return stacked(captions.map((c) => this.#get(c)));
  }

  negatives(captions: readonly string[]): Tensors {
    if (!this.#zeroNegative) return this.stack(captions);
    return stacked(
      captions.map((c) => {
        const row = this.#get(c);
        return c === ''
          ? Object.fromEntries(Object.entries(row).map(([name, x]) => [name, new Float32Array(x.length)]))
          : row;
      }),
    );
  }
}

/** Token ids, for text encoders that are part of the trained graph. */
export class CaptionTokens implements Conditions {
  readonly #inputs: readonly Value[];
  readonly #tokenizers: readonly CaptionTokenizer[];
  readonly #known = new Map<string, Tensors>();

  /** @param inputs of the network, one for each tokenizer */
  constructor(inputs: readonly Value[], tokenizers: readonly CaptionTokenizer[]) {
    this.#inputs = inputs;
    this.#tokenizers = tokenizers;
  }

  add(): Promise<void> {
    return Promise.resolve();
  }

  #get(caption: string): Tensors {
    const known = this.#known.get(caption);
    if (known) return known;
    const made = Object.fromEntries(
      this.#inputs.map(({ name, type }, i) => [name, tokens(this.#tokenizers[i]!.encode(caption), type)]),
    );
    this.#known.set(caption, made);
    return made;
  }

  stack(captions: readonly string[]): Tensors {
    return stacked(captions.map((c) => this.#get(c)));
  }

  negatives(captions: readonly string[]): Tensors {
    return this.stack(captions);
  }
}

/** Token ids in the element type of the input that takes them. */
export const tokens = (ids: Int32Array, type: Value['type']): TypedArray =>
  type === 'int64' ? BigInt64Array.from(ids, BigInt) : ids;

const rowOf = (batch: Tensors, i: number, rows: number): Tensors =>
  Object.fromEntries(
    Object.entries(batch).map(([name, x]) => {
      const each = x.length / rows;
      return [name, x.slice(i * each, (i + 1) * each)];
    }),
  );

/** Rows under one another, by name. */
const stacked = (rows: readonly Tensors[]): Tensors =>
  Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, joined(rows.map((row) => row[name]!))]));
