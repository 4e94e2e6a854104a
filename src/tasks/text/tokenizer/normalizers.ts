/** @file Texts as a tokenizer wants them before it cuts them: 🤗 tokenizers' normalizers. */
import * as v from 'valibot';
import { byteText } from './bytes.ts';
import { LATER_CONTROLS, LATER_FORMS, LATER_MARKS, LATER_NONSPACING } from './olderUnicode.ts';
import { precompiled } from './precompiled.ts';
import { spacesAfter, spacesBefore } from './edges.ts';
import { replaced } from './finder.ts';
import { kindSchema, type Part, patternSchema, readPart, unknownKind } from './read.ts';
import { patternOf } from './regex.ts';
import type { Normalizer } from './types.ts';

/** Rust changes case character by character: no final sigma at the ends of words. */
const lower = (text: string): string => {
  let out = '';
  for (const character of text) out += character.toLowerCase();
  return out;
};

const stripped = (text: string, left: boolean, right: boolean): string => {
  const from = left ? spacesAfter(text, 0) : 0;
  return text.slice(from, right ? Math.max(from, spacesBefore(text, text.length)) : undefined);
};

/** Ideographs, as BERT's reference has them. */
const IDEOGRAPHS =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;

/** A form of Unicode, with later characters left as they are. */
function inForm(form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Normalizer {
  const later = LATER_FORMS[form];
  if (later === null) return (text) => text.normalize(form);
  const parts = new RegExp(`([${later}]+)`, 'u');
  return (text) =>
    text
      .split(parts)
      .map((part, i) => (i % 2 === 1 ? part : part.normalize(form)))
      .join('');
}

const UNCLEAN = new RegExp(
  `[\\0\\uFFFD]|(?![\\t\\n\\r${LATER_CONTROLS}])[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}]`,
  'gu',
);
// Some characters were of another kind once.
const NONSPACING = new RegExp(`(?![${LATER_NONSPACING}])\\p{Mn}|[\\u1734\\u{1171E}]`, 'gu');
const decomposed = inForm('NFD');
const MARKS = new RegExp(`(?![${LATER_MARKS}])\\p{M}|[\\u1CF2\\u1CF3]`, 'gu');

const bertSchema = v.looseObject({
  clean_text: v.optional(v.boolean(), true),
  handle_chinese_chars: v.optional(v.boolean(), true),
  strip_accents: v.nullish(v.boolean()),
  lowercase: v.optional(v.boolean(), true),
});
function bert(part: Part): Normalizer {
  const { clean_text: clean, handle_chinese_chars: apart, ...rest } = readPart(bertSchema, part);
  const { lowercase } = rest;
  const bare = rest.strip_accents ?? lowercase;
  return (text) => {
    let out = text;
    if (clean) out = out.replaceAll(UNCLEAN, '').replaceAll(/\p{White_Space}/gu, ' ');
    if (apart) out = out.replaceAll(IDEOGRAPHS, ' $& ');
    if (bare) out = decomposed(out).replaceAll(NONSPACING, '');
    return lowercase ? lower(out) : out;
  };
}

/** SentencePiece's own cleaning: control characters go, other spaces become spaces. */
const nmt: Normalizer = (text) =>
  text
    // eslint-disable-next-line no-control-regex -- control characters are what it is about
    .replaceAll(/[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/g, '')
    .replaceAll(/[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/g, ' ');

const replaceSchema = v.looseObject({ pattern: patternSchema, content: v.string() });
const stripSchema = v.looseObject({
  strip_left: v.optional(v.boolean(), true),
  strip_right: v.optional(v.boolean(), true),
});

const kinds: Readonly<Record<string, (part: Part) => Normalizer>> = {
  BertNormalizer: bert,
  ByteLevel: () => byteText,
  Lowercase: () => lower,
  NFC: () => inForm('NFC'),
  NFD: () => inForm('NFD'),
  NFKC: () => inForm('NFKC'),
  NFKD: () => inForm('NFKD'),
  Nmt: () => nmt,
  Precompiled: (part) =>
    precompiled(
      readPart(v.looseObject({ precompiled_charsmap: v.nullish(v.string()) }), part).precompiled_charsmap,
    ),
  Prepend: (part) => {
    const { prepend } = readPart(v.looseObject({ prepend: v.string() }), part);
    return (text) => (text === '' ? '' : prepend + text);
  },
  Replace: (part) => {
    const { pattern, content } = readPart(replaceSchema, part);
    const found = patternOf(pattern);
    // Content is no template: a dollar is a dollar.
    return (text) => replaced(found, text, content);
  },
  Sequence: (part) => {
    const { normalizers } = readPart(v.looseObject({ normalizers: v.array(kindSchema) }), part);
    const steps = normalizers.map((n) => normalizer(n));
    return (text) => steps.reduce((t, step) => step(t), text);
  },
  Strip: (part) => {
    const { strip_left: left, strip_right: right } = readPart(stripSchema, part);
    return (text) => stripped(text, left, right);
  },
  StripAccents: () => (text) => text.replaceAll(MARKS, ''),
};

/** @throws DataError for a kind that is not supported, by its name */
export function normalizer(part: Part): Normalizer {
  const make = Object.hasOwn(kinds, part.type) ? kinds[part.type] : undefined;
  return make ? make(part) : unknownKind('normalizer', part.type);
}
