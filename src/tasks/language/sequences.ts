/** @file Documents as rows of tokens of one length: put together or padded, with what counts for the loss. */
import { Breath } from '#src/platform/breath.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { Piece } from './chat.ts';
import type { Document } from './types.ts';
import { type Parted, parted, type Segment, type Turn, turnsOf } from './windows.ts';

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
export interface Marked extends Segment {
  /** Questions with their answers; null: a text without questions, which may be parted anywhere. */
  readonly turns: readonly Turn[] | null;
  /** The first token only says that a text begins. */
  readonly begins: boolean;
  /** Last tokens of the first question alone that are others in the whole text, where one reaches over the join with the answer. */
  readonly joined: readonly number[];
}

/** How many tokens two lists have in common at their beginning. */
function common(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/** Whether the parts one after another are the whole. */
function areParts(parts: readonly (readonly number[])[], whole: readonly number[]): boolean {
  let at = 0;
  for (const part of parts) for (const id of part) if (whole[at++] !== id) return false;
  return at === whole.length;
}

/**
 * Tokens of the whole text, as transformers cuts it, with those of counted pieces marked: tokens know nothing of pieces, so one that reaches
 * into a counted piece counts.
 */
async function cut(
  pieces: readonly Piece[],
  tokens: TextTokens,
  ids: readonly number[],
  breath: Breath,
): Promise<{
  readonly ids: readonly number[];
  readonly counted: boolean[];
  readonly joined: readonly number[];
}> {
  const text = pieces.map((piece) => piece.text).join('');
  const counted = new Array<boolean>(ids.length).fill(false);
  const mark = (from: number, to: number): void => void counted.fill(true, from, to);
  // Special tokens stand between pieces most often: then the tokens of the pieces are those of the whole.
  const parts: (readonly number[])[] = [];
  if (pieces.length === 1) parts.push(ids);
  else for (const piece of pieces) parts.push(await tokens.encodeSlowly(piece.text, breath));
  if (pieces.length === 1 || areParts(parts, ids)) {
    let at = 0;
    pieces.forEach((piece, i) => {
      if (piece.counted) mark(at, at + parts[i]!.length);
      at += parts[i]!.length;
    });
    return { ids, counted, joined: [] };
  }
  let end = 0;
  let joined: readonly number[] | undefined;
  for (const piece of pieces) {
    const start = end;
    end += piece.text.length;
    if (!piece.counted) continue;
    const question = await tokens.encodeSlowly(text.slice(0, start), breath);
    const before = common(question, ids);
    joined ??= question.slice(before);
    const upTo = await tokens.encodeSlowly(text.slice(0, end), breath);
    const shared = common(upTo, ids);
    mark(before, shared === upTo.length ? shared : shared + 1);
  }
  return { ids, counted, joined: joined ?? [] };
}

/**
 * A document's tokens. What no template wrote goes from the tokenizer's start token (where it has one) to the end token, which is learned with the
 * last piece, if that is.
 * @param all questions are to be learned, too
 * @throws what the breath throws, too
 */
export async function marked(
  { pieces, frame }: Document,
  tokens: TextTokens,
  all = false,
  breath: Breath = new Breath(),
): Promise<Marked> {
  const own = await tokens.encodeSlowly(pieces.map(({ text }) => text).join(''), breath);
  const { ids, counted, joined } = await cut(pieces, tokens, own, breath);
  const { start, end } = tokens;
  const bare = frame !== 'template';
  const before = bare && start !== null && ids[0] !== start ? [start] : [];
  const after = bare && end !== null && ids.at(-1) !== end ? [end] : [];
  // A book has millions: these are joined as wholes.
  const whole = before.concat(ids, after);
  const answers = before
    .map(() => false)
    .concat(
      counted,
      after.map(() => counted.at(-1) ?? true),
    );
  const learned = all ? whole.map((_, i) => i >= before.length) : answers;
  return {
    ids: whole,
    counted: learned,
    turns: frame === null ? null : turnsOf(answers, learned),
    begins: start !== null && whole[0] === start,
    joined,
  };
}

/** Rows, and what became of the texts that are longer than one: an entry for each text with questions, null for others. */
export interface Rows {
  readonly rows: Row[];
  readonly parted: readonly (Parted | null)[];
}

/**
 * Rows of `length` tokens. A text without questions that is longer goes on in the next row, where it does not see what it began with; one with
 * questions is parted between them.
 *
 * @param packing texts follow one another in a row (transformers' run_clm, trl's "wrapped"): positions count through it, and a text sees those before
 *   it, since the mask of exported models has two axes and cannot part them. Else each text begins a row of its own
 */
export async function rowsOf(
  documents: readonly Marked[],
  length: number,
  packing: boolean,
  pad: number,
  breath: Breath = new Breath(),
): Promise<Rows> {
  const streams: { readonly ids: number[]; readonly counted: boolean[] }[] = [];
  const told = await breath.map(documents, (document): Parted | null => {
    const { turns } = document;
    // The last token of a segment is only foretold: a row holds one more than its length.
    const own = turns === null ? null : parted({ ...document, turns }, length + 1);
    for (const { ids, counted } of own?.segments ?? [document]) {
      const last = streams.at(-1);
      const inOneRow = (at: number): boolean =>
        Math.floor(at / length) === Math.floor((at + Math.max(0, ids.length - 2)) / length);
      if (packing && last && (own === null || inOneRow(last.ids.length))) {
        for (const id of ids) last.ids.push(id);
        for (const c of counted) last.counted.push(c);
      } else streams.push({ ids: [...ids], counted: [...counted] });
    }
    return own;
  });
  const rows: Row[] = [];
  for (const stream of streams)
    await breath.each(cutUp(stream, length, pad), (row) => {
      // What is only asked teaches nothing.
      if (row.counted.includes(1)) rows.push(row);
    });
  return { rows, parted: told };
}

function* cutUp({ ids, counted }: Segment, length: number, pad: number): Generator<Row, void, undefined> {
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
    yield row;
  }
}
