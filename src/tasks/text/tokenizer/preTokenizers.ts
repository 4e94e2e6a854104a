/** @file Texts as the pieces that a tokenizer's model reads one by one: 🤗 tokenizers' pre-tokenizers. */
import { Reason } from '#src/platform/refusals.ts';
import * as v from 'valibot';
import { byteText } from './bytes.ts';
import { WORD } from './edges.ts';
import { LATER_PUNCTUATION } from './olderUnicode.ts';
import { kindSchema, type Part, patternSchema, readPart, unknownKind } from './read.ts';
import { patternOf } from './regex.ts';
import { byCharacter, byFinder, byRegex, inverted, type Pattern, splitter } from './split.ts';

/** A piece of a text. */
export interface Piece {
  readonly text: string;
  /** It stands where the whole text begins. */
  readonly first: boolean;
}
/** Pieces as they are asked for: of a book there are millions. */
export type PreTokenizer = (piece: Piece) => Iterable<Piece>;

export const SPACE = /\p{White_Space}/u;
/** Two characters were punctuation once. */
const PUNCTUATION = new RegExp(`[!-/:-@[-\`{-~\\u166D\\u{111C9}]|(?![${LATER_PUNCTUATION}])\\p{P}`, 'u');
/** GPT-2's. */
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const splitting = (pattern: Pattern, behaviour: string): PreTokenizer => {
  const split = splitter(pattern, behaviour);
  return function* ({ text, first }) {
    for (const [from, to] of split(text)) yield { text: text.slice(from, to), first: first && from === 0 };
  };
};

function inTurn([step, ...others]: readonly PreTokenizer[]): PreTokenizer {
  if (!step) return (piece) => [piece];
  if (others.length === 0) return step;
  const rest = inTurn(others);
  return function* (piece) {
    for (const part of step(piece)) yield* rest(part);
  };
}

const byteLevelSchema = v.looseObject({
  add_prefix_space: v.optional(v.boolean(), true),
  use_regex: v.optional(v.boolean(), true),
});
function byteLevel(part: Part): PreTokenizer {
  const { add_prefix_space: prefix, use_regex: regex } = readPart(byteLevelSchema, part);
  const split = regex ? splitting(byRegex(GPT2), 'isolated') : (piece: Piece) => [piece];
  return function* ({ text, first }) {
    const whole = prefix && !text.startsWith(' ') ? ` ${text}` : text;
    for (const piece of split({ text: whole, first })) yield { ...piece, text: byteText(piece.text) };
  };
}

const metaspaceSchema = v.looseObject({
  replacement: v.optional(v.string(), '▁'),
  prepend_scheme: v.optional(v.picklist(['always', 'first', 'never'])),
  add_prefix_space: v.optional(v.boolean()),
  split: v.optional(v.boolean(), true),
});
function metaspace(part: Part): PreTokenizer {
  const { replacement, prepend_scheme: said, add_prefix_space: old, split } = readPart(metaspaceSchema, part);
  if (old === false && said !== undefined && said !== 'never')
    throw new Reason('its Metaspace says add_prefix_space = false and prepend_scheme, which contradict');
  const scheme = said ?? (old === false ? 'never' : 'always');
  const cut = splitting(byFinder(patternOf({ String: replacement })), 'mergedwithnext');
  return ({ text, first }) => {
    const spaced = text.replaceAll(' ', replacement);
    const begins = scheme === 'always' || (scheme === 'first' && first);
    const whole = begins && !spaced.startsWith(replacement) ? replacement + spaced : spaced;
    return split ? cut({ text: whole, first }) : [{ text: whole, first }];
  };
}

const splitSchema = v.looseObject({
  pattern: patternSchema,
  behavior: v.string(),
  invert: v.optional(v.boolean(), false),
});

function fixedLength(part: Part): PreTokenizer {
  const { length } = readPart(
    v.looseObject({ length: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    part,
  );
  return ({ text, first }) => {
    const characters = Array.from(text);
    return Array.from({ length: Math.ceil(characters.length / length) }, (_, i) => ({
      text: characters.slice(i * length, (i + 1) * length).join(''),
      first: first && i === 0,
    }));
  };
}

const kinds: Readonly<Record<string, (part: Part) => PreTokenizer>> = {
  BertPreTokenizer: () =>
    inTurn([splitting(byCharacter(SPACE), 'removed'), splitting(byCharacter(PUNCTUATION), 'isolated')]),
  ByteLevel: byteLevel,
  CharDelimiterSplit: (part) => {
    const { delimiter } = readPart(v.looseObject({ delimiter: v.string() }), part);
    return splitting(byFinder(patternOf({ String: delimiter })), 'removed');
  },
  Digits: (part) => {
    const { individual_digits: each } = readPart(
      v.looseObject({ individual_digits: v.optional(v.boolean(), false) }),
      part,
    );
    return splitting(byCharacter(/\p{N}/u), each ? 'isolated' : 'contiguous');
  },
  FixedLength: fixedLength,
  Metaspace: metaspace,
  Punctuation: (part) => {
    const { behavior } = readPart(v.looseObject({ behavior: v.optional(v.string(), 'Isolated') }), part);
    return splitting(byCharacter(PUNCTUATION), behavior);
  },
  Sequence: (part) => {
    const { pretokenizers } = readPart(v.looseObject({ pretokenizers: v.array(kindSchema) }), part);
    return inTurn(pretokenizers.map((p) => preTokenizer(p)));
  },
  Split: (part) => {
    const { pattern, behavior, invert } = readPart(splitSchema, part);
    const found = byFinder(patternOf(pattern));
    return splitting(invert ? inverted(found) : found, behavior);
  },
  Whitespace: () =>
    splitting(inverted(byRegex(new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, 'gu'))), 'removed'),
  WhitespaceSplit: () => splitting(byCharacter(SPACE), 'removed'),
};

/** @throws DataError for a kind that is not supported, by its name */
export function preTokenizer(part: Part): PreTokenizer {
  const make = Object.hasOwn(kinds, part.type) ? kinds[part.type] : undefined;
  return make ? make(part) : unknownKind('pre-tokenizer', part.type);
}
