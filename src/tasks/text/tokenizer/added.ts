/** @file Tokens that are found in a text before it is cut: special ones, and those that were added to a vocabulary. */
import * as v from 'valibot';
import type { Normalizer } from './types.ts';
import { spacesAfter, spacesBefore, wordAfter, wordBefore } from './edges.ts';

export const addedSchema = v.looseObject({
  content: v.string(),
  single_word: v.optional(v.boolean(), false),
  lstrip: v.optional(v.boolean(), false),
  rstrip: v.optional(v.boolean(), false),
  special: v.optional(v.boolean(), false),
  normalized: v.optional(v.boolean()),
});

export interface Added {
  readonly id: number;
  readonly content: string;
  /** Not where a letter or digit stands beside it. */
  readonly single: boolean;
  /** Spaces on the left and on the right belong to it. */
  readonly left: boolean;
  readonly right: boolean;
  /** It is looked for in what the normalizer has made. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A piece of a text, or a token in it. */
export type Found = { readonly text: string; readonly at: number } | { readonly id: number };

/** Longest of the contents that begin where they are looked for. */
interface Trie {
  readonly next: Map<string, Trie>;
  token?: Added;
}

function trieOf(tokens: readonly (readonly [string, Added])[]): Trie {
  const root: Trie = { next: new Map() };
  for (const [content, token] of tokens) {
    let node = root;
    for (const unit of content.split('')) {
      let child = node.next.get(unit);
      if (!child) node.next.set(unit, (child = { next: new Map() }));
      node = child;
    }
    node.token ??= token;
  }
  return root;
}

function finder(tokens: readonly (readonly [string, Added])[]): (text: string) => Found[] {
  const root = trieOf(tokens.filter(([content]) => content !== ''));
  const longest = (text: string, at: number): readonly [Added, number] | null => {
    let found: readonly [Added, number] | null = null;
    let node: Trie | undefined = root;
    for (let i = at; node; i++) {
      if (node.token) found = [node.token, i];
      const unit: string | undefined = text[i];
      node = unit === undefined ? undefined : node.next.get(unit);
    }
    return found;
  };
  return (text) => {
    if (root.next.size === 0) return text === '' ? [] : [{ text, at: 0 }];
    const out: Found[] = [];
    /** Where what is not taken yet begins. */
    let begin = 0;
    for (let i = 0; i < text.length;) {
      const match = longest(text, i);
      if (!match) {
        i++;
        continue;
      }
      const [token, end] = match;
      let [from, to] = [i, end];
      i = end;
      if (token.single && (wordBefore(text, from) || wordAfter(text, to))) continue;
      if (token.left) from = Math.max(begin, spacesBefore(text, from));
      if (token.right) to = spacesAfter(text, to);
      if (from > begin) out.push({ text: text.slice(begin, from), at: begin });
      out.push({ id: token.id });
      begin = to;
    }
    if (begin < text.length) out.push({ text: text.slice(begin), at: begin });
    return out;
  };
}

/** A text in its tokens and the pieces between them, these normalized. `at`: where in the whole text a piece begins. */
export function addedFinder(tokens: readonly Added[], normalize: Normalizer): (text: string) => Found[] {
  const raw = finder(tokens.filter((t) => !t.normalized).map((t) => [t.content, t]));
  const made = finder(tokens.filter((t) => t.normalized).map((t) => [normalize(t.content), t]));
  return (text) =>
    raw(text).flatMap((piece) =>
      'id' in piece
        ? [piece]
        : made(normalize(piece.text)).map((p) => ('id' in p ? p : { text: p.text, at: piece.at + p.at })),
    );
}
