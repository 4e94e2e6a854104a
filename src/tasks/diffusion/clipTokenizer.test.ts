import { expect, it } from 'vitest';
import { json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { clipTokenizerJson } from './clipTokenizer.ts';
import { CaptionTokenizer } from './tokenizer.ts';

const { model } = json('tiny-sd/tokenizer/tokenizer.json') as {
  model: { vocab: Record<string, number>; merges: [string, string][] };
};
const merges = `#version: 0.2\n${model.merges.map((pair) => pair.join(' ')).join('\n')}\n`;

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
