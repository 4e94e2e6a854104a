/** @file Texts as encoders read them: one or two, special tokens around, cut to a length so that these stay. */
import { Breath } from '#src/platform/breath.ts';
import type { TextTokens } from './tokens.ts';

export interface Framed {
  readonly ids: readonly number[];
  /** Token types: which of two texts a token belongs to. */
  readonly types: readonly number[];
  /** Tokens that were cut off. */
  readonly lost: number;
}

/** Where the part lies whole in the list, from `from` on; −1: nowhere. */
function indexOf(list: readonly number[], part: readonly number[], from: number): number {
  for (let at = from; at + part.length <= list.length; at++)
    if (part.every((id, i) => list[at + i] === id)) return at;
  return -1;
}

/** Tokens left of texts of n1 and n2 tokens that share `room`: the longer loses first (🤗 tokenizers' LongestFirst). */
export function longestFirst(n1: number, n2: number, room: number): [number, number] {
  if (n1 + n2 <= room) return [n1, n2];
  if (n1 > n2) {
    const [b, a] = longestFirst(n2, n1, room);
    return [a, b];
  }
  if (2 * n1 <= room) return [n1, room - n1];
  const half = Math.floor(room / 2);
  return [half, room - half];
}

/**
 * A text, or two, with the tokenizer's special tokens around and between. Throws what the breath throws.
 * @param longest tokens of the result at most; 0: as many as there are
 */
export async function framed(
  tokens: TextTokens,
  text: string,
  pair: string | null,
  longest: number,
  breath: Breath = new Breath(),
): Promise<Framed> {
  const whole = await tokens.around(text, pair, breath);
  if (longest === 0 || whole.ids.length <= longest) return { ...whole, lost: 0 };
  const lost = whole.ids.length - longest;
  const first = await tokens.encodeSlowly(text, breath);
  const second = pair === null ? [] : await tokens.encodeSlowly(pair, breath);
  const a = indexOf(whole.ids, first, 0);
  const b = a < 0 ? -1 : indexOf(whole.ids, second, a + first.length);
  const special = whole.ids.length - first.length - second.length;
  // A tokenizer that reads the texts otherwise when they stand together keeps only its beginning.
  if (a < 0 || b < 0 || special > longest)
    return { ids: whole.ids.slice(0, longest), types: whole.types.slice(0, longest), lost };
  const [keptA, keptB] =
    pair === null ? [longest - special, 0] : longestFirst(first.length, second.length, longest - special);
  const cut = <T>(list: readonly T[]): T[] => [
    ...list.slice(0, a + keptA),
    ...list.slice(a + first.length, b + keptB),
    ...list.slice(b + second.length),
  ];
  return { ids: cut(whole.ids), types: cut(whole.types), lost };
}
