/** @file Documents as rows of tokens of one length: put together or padded, with what counts for the loss. */
import type { Document } from './data.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';

/** `length` tokens, and at each place the token that follows. */
export interface Row {
  readonly ids: Int32Array;
  /** Tokens before the padding. */
  readonly real: number;
  readonly next: Int32Array;
  /** 1: the following token is to be learned. */
  readonly counted: Uint8Array;
}

interface Marked {
  readonly ids: number[];
  readonly counted: boolean[];
}

/**
 * A document's tokens, from the tokenizer's start token (where it has one) to the end token.
 * @param all learn what was given, too
 */
export function marked({ pieces }: Document, tokens: TextTokens, all: boolean): Marked {
  const ids: number[] = [];
  const counted: boolean[] = [];
  const push = (id: number, learned: boolean): void => {
    ids.push(id);
    counted.push(learned);
  };
  for (const { text, counted: learned } of pieces)
    for (const id of tokens.encode(text)) push(id, learned || all);
  if (tokens.start !== null && ids[0] !== tokens.start) {
    ids.unshift(tokens.start);
    counted.unshift(false);
  }
  // Where to stop is learned with the last piece, if that is.
  if (tokens.end !== null && ids.at(-1) !== tokens.end) push(tokens.end, counted.at(-1) ?? true);
  return { ids, counted };
}

/**
 * Rows of `length` tokens. A text that is longer goes on in the next row.
 * @param packing texts follow one another in a row; else each begins one of its own
 */
export function rowsOf(documents: readonly Marked[], length: number, packing: boolean, pad: number): Row[] {
  const streams = packing
    ? [{ ids: documents.flatMap((d) => d.ids), counted: documents.flatMap((d) => d.counted) }]
    : documents;
  return streams.flatMap(({ ids, counted }) => {
    const rows: Row[] = [];
    for (let at = 0; at < ids.length - 1; at += length) {
      const real = Math.min(length, ids.length - at);
      const row: Row = {
        ids: new Int32Array(length).fill(pad),
        real,
        next: new Int32Array(length),
        counted: new Uint8Array(length),
      };
      for (let i = 0; i < real; i++) {
        row.ids[i] = ids[at + i]!;
        const next = ids[at + i + 1];
        if (next === undefined) continue;
        row.next[i] = next;
        if (counted[at + i + 1]) row.counted[i] = 1;
      }
      // What is only asked teaches nothing.
      if (row.counted.includes(1)) rows.push(row);
    }
    return rows;
  });
}
