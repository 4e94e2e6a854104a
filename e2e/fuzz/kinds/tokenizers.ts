/** @file tokenizer.json and its settings: parts exchanged, random expressions, bytes lost. Whatever is read must spell any text. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { CaptionTokenizer } from '#src/tasks/diffusion/tokenizer.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import { bytesOf, type FuzzKind, jsonOf, textOf } from '../kind.ts';
import { drawn, regexes } from '../parts/regexes.ts';
import { spoiled } from '../parts/spoil.ts';
import { damagedText } from '../parts/texts.ts';

const parsed = (path: string): object =>
  JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')) as object;
const own = parsed('public/models/stories/tokenizer.json');
const config = parsed('public/models/stories/tokenizer_config.json');
const clip = parsed('e2e/golden/tiny-sd/tokenizer/tokenizer.json');
const clipConfig = parsed('e2e/golden/tiny-sd/tokenizer/tokenizer_config.json');
const kinds = parsed('e2e/golden/tokenizers/kinds.json') as {
  readonly cases: readonly Readonly<Record<string, unknown>>[];
};
const parts = kinds.cases.map((kind) =>
  Object.fromEntries(
    ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder', 'added_tokens'].flatMap((part) =>
      kind[part] === undefined ? [] : [[part, kind[part]] as const],
    ),
  ),
);
const texts = [
  'the robot',
  '',
  '\u0000',
  '💥 größe 猫',
  'x'.repeat(500),
  'a'.repeat(3000),
  `${' '.repeat(2000)}b`,
];

const pattern = fc.oneof(
  regexes.map((Regex) => ({ Regex })),
  fc.string({ maxLength: 3 }).map((String) => ({ String })),
);
const replacing = fc.record({
  type: fc.constant('Replace'),
  pattern,
  content: fc.constantFrom('', 'a', 'aa '),
});
/** A tokenizer of one word and parts with random expressions. */
const expressions = fc.record({
  model: fc.constant({ type: 'WordLevel', vocab: { a: 0, '[UNK]': 1 }, unk_token: '[UNK]' }),
  normalizer: fc.oneof(
    replacing,
    fc.record({ type: fc.constantFrom('Strip', 'NFKC', 'Odd', 'Prepend') }),
    fc.record({ type: fc.constant('Sequence'), normalizers: fc.array(replacing, { maxLength: 9 }) }),
  ),
  pre_tokenizer: fc.record({
    type: fc.constant('Split'),
    pattern,
    behavior: fc.constantFrom('Isolated', 'Removed', 'MergedWithPrevious', 'Odd'),
    invert: fc.boolean(),
  }),
  decoder: fc.option(replacing),
});

/** A file as its kind, what stands beside it, and itself. */
interface Case {
  readonly captions: boolean;
  readonly config: unknown;
  readonly tokenizer: unknown;
}

function made(d: Dice): Case {
  const random = (): number => d.whole(2 ** 30) / 2 ** 30;
  const settings = (whole: object): unknown => (d.chance(0.2) ? spoiled(whole, random) : whole);
  switch (d.whole(5)) {
    case 0:
      return { captions: true, config: settings(clipConfig), tokenizer: spoiled(clip, random) };
    case 1:
      return {
        captions: false,
        config: settings(config),
        tokenizer: spoiled({ ...own, ...d.pick(parts) }, random),
      };
    case 2: {
      const part = spoiled(d.pick(parts), random);
      return { captions: false, config: settings(config), tokenizer: { ...own, ...(part as object) } };
    }
    case 3:
      return { captions: false, config: {}, tokenizer: drawn(expressions, d.whole(2 ** 30)) };
    default:
      return { captions: d.chance(0.3), config: settings(config), tokenizer: { ...own, ...d.pick(parts) } };
  }
}

/** Three texts behind one another, so that a case is one file: whether of captions, settings, tokenizer. */
const file = ({ captions, config: beside, tokenizer }: Case): string =>
  [captions ? 'captions' : 'texts', jsonOf(beside), jsonOf(tokenizer)].join('\n');

export const tokenizers: FuzzKind = {
  ending: '.txt',
  full: 5000,
  make: (seed) => {
    const d = dice(seed);
    const text = file(made(d));
    if (d.chance(0.7)) return bytesOf(text);
    return d.chance(0.5) ? damaged(d, bytesOf(text)) : bytesOf(damagedText(d, text));
  },
  read: async (input) => {
    const [kind = '', beside = '', ...rest] = textOf(input).split('\n');
    const files = memoryFiles({
      'model.onnx': '',
      'tokenizer.json': rest.join('\n'),
      'tokenizer_config.json': beside,
    });
    const tokens =
      kind === 'captions' ? captionsOf(rest.join('\n'), beside) : await TextTokens.read(files, 'model.onnx');
    for (const text of texts) {
      const ids = tokens.encode(text);
      if (ids.some((id) => id < 0)) throw new Error('There is a token below zero.');
      if (tokens instanceof TextTokens) tokens.decode([...ids].slice(0, 9));
    }
    return [];
  },
};

/** Whole JSON: who reads the files of a pipeline has refused what is none. */
function captionsOf(tokenizer: string, beside: string): CaptionTokenizer {
  const json = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  };
  return new CaptionTokenizer(json(tokenizer), json(beside));
}
