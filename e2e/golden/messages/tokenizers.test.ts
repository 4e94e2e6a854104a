/** @file Tokenizers with parts exchanged or bytes lost, and what cannot be spelled with them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { uniform } from '#src/ops/testing/random.ts';
import { clipTokenizerJson } from '#src/tasks/diffusion/clipTokenizer.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { CaptionTokenizer } from '#src/tasks/diffusion/tokenizer.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import { refuses, refusesLater } from './drive.ts';
import { spoiled } from './spoil.ts';

const own = JSON.parse(readFileSync('public/models/stories/tokenizer.json', 'utf8')) as object;
const config = JSON.parse(readFileSync('public/models/stories/tokenizer_config.json', 'utf8')) as object;
const clip = JSON.parse(readFileSync('e2e/golden/tiny-sd/tokenizer/tokenizer.json', 'utf8')) as object;
const clipConfig = JSON.parse(
  readFileSync('e2e/golden/tiny-sd/tokenizer/tokenizer_config.json', 'utf8'),
) as object;
const parts = (
  JSON.parse(readFileSync('e2e/golden/tokenizers/kinds.json', 'utf8')) as {
    readonly cases: readonly Readonly<Record<string, unknown>>[];
  }
).cases.map(({ name, normalizer, pre_tokenizer, post_processor, decoder, added_tokens }) => ({
  name: String(name),
  own: Object.fromEntries(
    Object.entries({ normalizer, pre_tokenizer, post_processor, decoder, added_tokens }).filter(
      ([, part]) => part !== undefined,
    ),
  ),
}));
const texts = ['the robot', '', '\u0000', '💥 größe 猫', 'x'.repeat(500)];

const read = async (tokenizer: string | Uint8Array, settings: unknown = config): Promise<void> => {
  const files = memoryFiles({
    'model.onnx': '',
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': JSON.stringify([settings]).slice(1, -1),
  });
  const tokens = await TextTokens.read(files, 'model.onnx');
  for (const text of texts) for (const id of tokens.encode(text)) expect(id).toBeGreaterThanOrEqual(0);
};

describe('tokenizers', () => {
  it('with one of their parts exchanged', async () => {
    const random = uniform(2);
    let refused = 0;
    for (const part of parts) {
      const made = { ...own, ...part.own };
      for (let i = 0; i < 2; i++)
        if (
          await refusesLater(
            () => read(JSON.stringify([spoiled(made, random)]).slice(1, -1)),
            `${part.name}, ${i}`,
          )
        )
          refused++;
    }
    expect(refused).toBeGreaterThan(parts.length / 2);
  });

  it('with spoiled parts of every kind', async () => {
    const random = uniform(3);
    let refused = 0;
    for (const part of parts)
      for (let i = 0; i < 2; i++)
        if (
          await refusesLater(
            () => read(JSON.stringify({ ...own, ...(spoiled(part.own, random) as object) })),
            `${part.name}, ${i}`,
          )
        )
          refused++;
    expect(refused).toBeGreaterThan(parts.length / 4);
  });

  it('with bytes lost', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(own));
    let refused = 0;
    for (let i = 0; i < 40; i++)
      if (await refusesLater(() => read(damaged(dice(i), bytes)), `bytes, ${i}`)) refused++;
    expect(refused).toBeGreaterThan(10);
  });

  it('with other settings beside', async () => {
    const random = uniform(5);
    for (let i = 0; i < 40; i++)
      await refusesLater(() => read(JSON.stringify(own), spoiled(config, random)), `settings, ${i}`);
    expect(await refusesLater(() => read('<html></html>'), 'a web page')).toBe(true);
  });

  it('of captions', () => {
    const random = uniform(6);
    let refused = 0;
    for (let i = 0; i < 60; i++)
      if (
        refuses(() => {
          const tokens = new CaptionTokenizer(
            spoiled(clip, random),
            random() < 0.5 ? clipConfig : spoiled(clipConfig, random),
          );
          for (const text of texts) tokens.encode(text);
        }, `captions, ${i}`)
      )
        refused++;
    expect(refused).toBeGreaterThan(10);
  });

  it.each<[string, unknown, string]>([
    ['a list', [], 'a b'],
    ['no special tokens', { a: 0 }, 'a b'],
    ['a merge that is no pair', { '<|startoftext|>': 0, '<|endoftext|>': 1 }, '#version\na b c'],
    ['nothing', null, ''],
  ])('of vocab.json and merges.txt: %s', (what, vocab, merges) => {
    expect(refuses(() => clipTokenizerJson(vocab, merges, 'tokenizer'), what)).toBe(true);
  });
});
