/** @file Caption embeddings: each caption goes through the frozen text encoder once. */
import type { CaptionTokenizer } from './tokenizer.ts';

/** Token ids [batch, length] → hidden states [batch, length, width]. Always called with the same batch. */
export type EncodeText = (ids: Int32Array, batch: number) => Promise<Float32Array>;

export class CaptionEmbeddings {
  readonly #tokenizer: CaptionTokenizer;
  readonly #encode: EncodeText;
  readonly #batch: number;
  readonly #known = new Map<string, Float32Array>();

  /** @param batch rows per call of `encode`; the last call is filled up with empty captions */
  constructor(tokenizer: CaptionTokenizer, encode: EncodeText, batch = 8) {
    this.#tokenizer = tokenizer;
    this.#encode = encode;
    this.#batch = batch;
  }

  /**
   * Embeds the captions not known yet, in sorted order: the same set gives the same calls, and so the same bits, whatever the order of the
   * images.
   */
  async add(captions: Iterable<string>, onProgress?: (done: number, total: number) => void): Promise<void> {
    const wanted = [...new Set(captions)].filter((c) => !this.#known.has(c)).sort();
    for (let start = 0; start < wanted.length; start += this.#batch) {
      const rows = wanted.slice(start, start + this.#batch);
      const filled = Array.from({ length: this.#batch }, (_, i) => rows[i] ?? '');
      const out = await this.#encode(this.#tokenizer.encodeAll(filled), this.#batch);
      const each = out.length / this.#batch;
      rows.forEach((caption, i) => this.#known.set(caption, out.slice(i * each, (i + 1) * each)));
      onProgress?.(start + rows.length, wanted.length);
    }
  }

  /** [length, width] of a caption that was added. */
  get(caption: string): Float32Array {
    const known = this.#known.get(caption);
    if (!known) throw new RangeError(`The caption "${caption}" was not embedded.`);
    return known;
  }

  /** [captions, length, width], row after row. */
  stack(captions: readonly string[]): Float32Array {
    const rows = captions.map((c) => this.get(c));
    const out = new Float32Array(rows.reduce((n, r) => n + r.length, 0));
    let at = 0;
    for (const row of rows) {
      out.set(row, at);
      at += row.length;
    }
    return out;
  }
}
