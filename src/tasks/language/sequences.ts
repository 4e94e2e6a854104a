/** @file Documents as rows of tokens of one length: put together or padded, with what counts for the loss. */
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { Piece } from './chat.ts';
import type { Document } from './data.ts';

/** `length` tokens, and at each place the token that follows. */
export interface Row {
  readonly ids: Int32Array;
  /** Tokens before the padding. */
  readonly real: number;
  readonly next: Int32Array;
  /** 1: the following token is to be learned. */
  readonly counted: Uint8Array;
}

/** Tokens of a text, and which of them are to be learned. */
export interface Marked {
  readonly ids: number[];
  readonly counted: boolean[];
}

/** How many tokens two lists have in common at their beginning. */
function common(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/**
 * Tokens of the whole text, as transformers cuts it, with those of counted pieces marked: tokens know nothing of pieces, so one that reaches
 * into a counted piece counts.
 */
function cut(pieces: readonly Piece[], tokens: TextTokens): Marked {
  const text = pieces.map((piece) => piece.text).join('');
  const ids = tokens.encode(text);
  const counted = new Array<boolean>(ids.length).fill(false);
  const mark = (from: number, to: number): void => void counted.fill(true, from, to);
  // Special tokens stand between pieces most often: then the tokens of the pieces are those of the whole.
  const parts = pieces.length > 1 ? pieces.map((piece) => tokens.encode(piece.text)) : [ids];
  if (parts.flat().join() === ids.join()) {
    let at = 0;
    pieces.forEach((piece, i) => {
      if (piece.counted) mark(at, at + parts[i]!.length);
      at += parts[i]!.length;
    });
    return { ids, counted };
  }
  let end = 0;
  for (const piece of pieces) {
    const start = end;
    end += piece.text.length;
    if (!piece.counted) continue;
    const before = common(tokens.encode(text.slice(0, start)), ids);
    const upTo = tokens.encode(text.slice(0, end));
    const shared = common(upTo, ids);
    mark(before, shared === upTo.length ? shared : shared + 1);
  }
  return { ids, counted };
}

/**
 * A document's tokens. What no template wrote goes from the tokenizer's start token (where it has one) to the end token, which is learned with the
 * last piece, if that is.
 */
export function marked({ pieces, templated }: Document, tokens: TextTokens): Marked {
  const { ids, counted } = cut(pieces, tokens);
  if (templated) return { ids, counted };
  const { start, end } = tokens;
  const before = start !== null && ids[0] !== start ? [start] : [];
  const after = end !== null && ids.at(-1) !== end ? [end] : [];
  return {
    ids: [...before, ...ids, ...after],
    counted: [...before.map(() => false), ...counted, ...after.map(() => counted.at(-1) ?? true)],
  };
}

/**
 * Rows of `length` tokens. A text that is longer goes on in the next row, where it does not see what it began with.
 *
 * @param packing texts follow one another in a row (transformers' run_clm, trl's "wrapped"): positions count through it, and a text sees those before
 *   it, since the mask of exported models has two axes and cannot part them. Else each text begins a row of its own
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
