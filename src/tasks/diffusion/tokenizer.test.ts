import { describe, expect, it } from 'vitest';
import { json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { emojiTokenizer } from './testing/emoji.ts';
import { CaptionTokenizer } from './tokenizer.ts';

const tokenizerJson = (extra: object = {}) => ({
  version: '1.0',
  added_tokens: [],
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<s>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '</s>', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] },
      '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
    },
  },
  decoder: null,
  model: {
    type: 'WordLevel',
    unk_token: '<unk>',
    vocab: { '<pad>': 9, '<s>': 1, '</s>': 2, '<unk>': 3, a: 4, b: 5, c: 6, d: 7, e: 8 },
  },
  ...extra,
});
const config = { unk_token: '<unk>', pad_token: '<pad>', model_max_length: 5 };

describe('CaptionTokenizer', () => {
  it("gives the Python tokenizer's ids for the built-in model", () => {
    const { texts } = json('emoji/golden.json') as { texts: string[] };
    const expected = tensors('emoji/text_encoder.safetensors').get('input_ids')!;
    const tokenizer = emojiTokenizer();
    expect([texts.length, tokenizer.length]).toEqual(expected.shape);
    expect([...tokenizer.encodeAll(texts)]).toEqual([...(expected.data as Int32Array)]);
  });

  it('keeps the closing token of too long a caption', () => {
    const tokenizer = new CaptionTokenizer(tokenizerJson(), config);
    expect([...tokenizer.encode('a b c')]).toEqual([1, 4, 5, 6, 2]);
    expect([...tokenizer.encode('a b c d e')]).toEqual([1, 4, 5, 6, 2]);
    expect([tokenizer.overflow('a b c'), tokenizer.overflow('a b c d e')]).toEqual([0, 2]);
  });

  it('cuts and pads on the side that the file says', () => {
    const left = new CaptionTokenizer(
      tokenizerJson({
        truncation: { max_length: 4, direction: 'Left', strategy: 'LongestFirst', stride: 0 },
        padding: { strategy: { Fixed: 6 }, direction: 'Left', pad_id: 0 },
      }),
      config,
    );
    expect([...left.encode('a')]).toEqual([0, 0, 0, 1, 4, 2]);
    expect([...left.encode('a b c d e')]).toEqual([1, 5, 6, 7, 8, 2]);
  });

  it('pads with the pad token where the file does not say', () => {
    expect([...new CaptionTokenizer(tokenizerJson(), config).encode('')]).toEqual([1, 2, 9, 9, 9]);
  });

  it('refuses what is no tokenizer, and one without a length', () => {
    expect(() => new CaptionTokenizer({}, {})).toThrow(/tokenizer\.json.*model/);
    expect(() => new CaptionTokenizer(null, {})).toThrow(/tokenizer\.json/);
    expect(() => new CaptionTokenizer(tokenizerJson({ model: { type: 'Runes' } }), config)).toThrow(
      /tokenizer\.json/,
    );
    expect(() => new CaptionTokenizer(tokenizerJson(), { model_max_length: 1e30 })).toThrow(/no length/);
    expect(() => new CaptionTokenizer(tokenizerJson(), { ...config, model_max_length: 1 })).toThrow(
      /no room/,
    );
  });
});
