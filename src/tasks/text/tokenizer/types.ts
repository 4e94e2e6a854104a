/** @file What a tokenizer is put together from. */

/** Changes a text before it is cut. */
export type Normalizer = (text: string) => string;

/** Pieces of a text → numbers of tokens. */
export interface WordModel {
  readonly vocab: ReadonlyMap<string, number>;
  readonly words: number;
  /** @throws DataError for a word that it has no token for, nor one for unknown words */
  encode(word: string): readonly number[];
}
