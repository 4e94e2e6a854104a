/**
 * @file Expressions of well-known tokenizers, letter for letter, and those so simple that it can be seen: on these JavaScript's own engine, ten
 * times as fast as the one that counts its steps, takes time linear in the text.
 */
import type { Tree } from '#src/platform/regex/tree.ts';

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** Runs of white space: each is gone through once for every alternative, and then taken but for its last character at most. */
const SPACES = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const CASED = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const UNCASED = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;

/**
 * An alternative begins with at most one character of another kind, and goes on with runs of one kind each; where it fails, it has gone through
 * one run, which the next alternatives take whole.
 */
const KNOWN: ReadonlySet<string> = new Set([
  // GPT-2
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  // Llama 3, GPT-4
  String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|${SPACES}`,
  String.raw`(?i:'(?:[sdmt]|ll|ve|re))|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`,
  // Qwen 2 and 3
  String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|${SPACES}`,
  // GPT-4o
  String.raw`[^\r\n\p{L}\p{N}]?${CASED}*${UNCASED}+${CONTRACTIONS}?|[^\r\n\p{L}\p{N}]?${CASED}+${UNCASED}*${CONTRACTIONS}?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${SPACES}`,
  // DeepSeek 3, which writes its quotation mark in two ways
  ...['"', String.raw`\"`].map(
    (quote) =>
      String.raw`[!${quote}#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${SPACES}`,
  ),
  // CLIP
  String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
]);

/** Is it one of the field's, as tokenizer.json writes it? */
export const isKnownPattern = (source: string): boolean => KNOWN.has(source);

/** Characters that a repetition may ask for before it matches. */
const FEW = 8;

/**
 * Is every alternative a character, or a run of one kind of character? Then what fails has looked at a few characters, and what matches takes all
 * that it has looked at but the last.
 */
export function isSimple(tree: Tree): boolean {
  switch (tree.kind) {
    case 'character':
      return true;
    case 'choice':
      return tree.items.length <= FEW && tree.items.every(isSimple);
    case 'sequence':
      return tree.items.length === 1 && isSimple(tree.items[0]!);
    case 'repeat':
      return (
        tree.body.kind === 'character' &&
        !tree.lazy &&
        tree.least <= FEW &&
        (tree.most <= FEW || tree.most === Infinity)
      );
    default:
      return false;
  }
}
