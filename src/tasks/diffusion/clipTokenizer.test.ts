import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { clipTokenizerJson } from './clipTokenizer.ts';
import { CaptionTokenizer } from './tokenizer.ts';

const { model } = json('tiny-sd/tokenizer/tokenizer.json') as {
  model: { vocab: Record<string, number>; merges: [string, string][] };
};
const merges = `#version: 0.2\n${model.merges.map((pair) => pair.join(' ')).join('\n')}\n`;

const { clip } = JSON.parse(readFileSync('e2e/golden/tokenizers/kinds.json', 'utf8')) as {
  clip: {
    vocab: object;
    merges: [string, string][];
    captions: string[];
    cases: { pad: string; ids: string }[];
  };
};
/** FNV-1a of the UTF-16 units. */
const hashOf = (text: string): string => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, '0');
};

it("gives CLIPTokenizer's ids from vocab.json and merges.txt alone", () => {
  const made = clipTokenizerJson(model.vocab, merges, 'tokenizer');
  const tokenizer = new CaptionTokenizer(made, json('tiny-sd/tokenizer/tokenizer_config.json'));
  const { prompts } = json('tiny-sd/golden.json') as { prompts: string[] };
  const ids = tensors('tiny-sd/golden.safetensors').get('input_ids')!.data as Int32Array;
  expect([...tokenizer.encodeAll(prompts)]).toEqual([...ids]);
});

it('refuses files that are not CLIP’s', () => {
  expect(() => clipTokenizerJson({ a: 'x' }, merges, 'tokenizer')).toThrow(
    /tokenizer\/vocab\.json is no list/,
  );
  expect(() => clipTokenizerJson({ a: 1 }, merges, 'tokenizer_2')).toThrow(
    /tokenizer_2\/vocab\.json lacks <\|start/,
  );
  expect(() => clipTokenizerJson(model.vocab, 'a b c', 'tokenizer')).toThrow(/merges\.txt.*"a b c"/);
});

it.each(clip.cases)('gives them for captions of twenty languages, with $pad for padding', ({ pad, ids }) => {
  const pairs = `#version: 0.2\n${clip.merges.map((pair) => pair.join(' ')).join('\n')}\n`;
  const tokenizer = new CaptionTokenizer(clipTokenizerJson(clip.vocab, pairs, 'tokenizer_2'), {
    bos_token: '<|startoftext|>',
    eos_token: { content: '<|endoftext|>', normalized: true },
    pad_token: pad,
    unk_token: '<|endoftext|>',
    model_max_length: 77,
  });
  const wrong = clip.captions.filter(
    (c, i) => hashOf(tokenizer.encode(c).join()) !== ids.slice(8 * i, 8 * i + 8),
  );
  expect(wrong).toEqual([]);
});
