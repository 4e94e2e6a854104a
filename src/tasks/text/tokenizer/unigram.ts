/** @file The likeliest pieces of a text: Kudo's unigram model (1804.10959), as 🤗 tokenizers does it. */
import { DataError } from '#src/tasks/files.ts';
import * as v from 'valibot';
import { tokenId } from './read.ts';
import { byteNames } from './bytes.ts';
import type { WordModel } from './types.ts';

export const unigramSchema = v.looseObject({
  vocab: v.custom<readonly (readonly [string, number])[]>(
    (x) =>
      Array.isArray(x) &&
      x.every((p: unknown) => Array.isArray(p) && typeof p[0] === 'string' && typeof p[1] === 'number'),
    'is no list of pieces with their scores',
  ),
  unk_id: v.nullish(tokenId),
  byte_fallback: v.optional(v.boolean(), false),
});

/** How much less likely than all pieces an unknown character is. */
const PENALTY = 10;

interface Node {
  readonly next: Map<string, Node>;
  id?: number;
}

/** Where the best way to a place comes from. */
interface Step {
  score: number;
  from: number;
  id: number;
}

export function unigram(part: v.InferOutput<typeof unigramSchema>): WordModel {
  const { vocab: pieces, unk_id: unknown, byte_fallback: bytes } = part;
  const vocab = new Map(pieces.map(([piece], id) => [piece, id]));
  const root: Node = { next: new Map() };
  let least = Infinity;
  for (const [piece, score] of pieces) {
    least = Math.min(least, score);
    let node = root;
    for (const c of piece) {
      let child = node.next.get(c);
      if (!child) node.next.set(c, (child = { next: new Map() }));
      node = child;
    }
    node.id = vocab.get(piece)!;
  }
  const missing = (text: string): never => {
    throw new DataError(
      `"${text.slice(0, 40)}" has a character that the tokenizer does not know, and tokenizer.json names no unk_id. Use the tokenizer that belongs to the model, or leave it out of the text.`,
    );
  };

  const best = (text: string, characters: readonly string[]): Step[] => {
    const ways: (Step | undefined)[] = [{ score: 0, from: 0, id: -1 }];
    for (let at = 0; at < characters.length; at++) {
      const before = ways[at]!.score;
      const reach = (to: number, score: number, id: number): void => {
        const way = ways[to];
        if (!way || before + score > way.score) ways[to] = { score: before + score, from: at, id };
      };
      let single = false;
      let node: Node | undefined = root;
      for (let i = at; i < characters.length; i++) {
        node = node.next.get(characters[i]!);
        if (!node) break;
        if (node.id === undefined) continue;
        reach(i + 1, pieces[node.id]![1], node.id);
        single ||= i === at;
      }
      if (!single) reach(at + 1, least - PENALTY, unknown ?? missing(text));
    }
    return ways as Step[];
  };

  const encode = (text: string): number[] => {
    const characters = Array.from(text);
    const ways = best(text, characters);
    const parts: { readonly from: number; to: number; readonly id: number }[] = [];
    for (let to = characters.length; to > 0;) {
      const { from, id } = ways[to]!;
      parts.push({ from, to, id });
      to = from;
    }
    const ids: number[] = [];
    for (let i = parts.length - 1; i >= 0; i--) {
      const { from, id } = parts[i]!;
      if (id !== unknown) {
        ids.push(id);
        continue;
      }
      // Unknown characters side by side are one.
      while (parts[i - 1]?.id === unknown) i--;
      const rest = characters.slice(from, parts[i]!.to).join('');
      const spelt = bytes ? byteNames(rest).map((name) => vocab.get(name)) : [undefined];
      const own = vocab.get(rest);
      if (own !== undefined) ids.push(own);
      else if (spelt.every((b) => b !== undefined)) ids.push(...spelt);
      else ids.push(unknown);
    }
    return ids;
  };
  return { vocab, words: pieces.length, encode };
}
