/** @file What is no tokenizer. Damaged ones are the fuzzers' (e2e/fuzz). */
import { describe, expect, it } from 'vitest';
import { clipTokenizerJson } from '#src/tasks/diffusion/clipTokenizer.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import { refuses, refusesLater } from './drive.ts';

describe('tokenizers', () => {
  it('a web page', async () => {
    const files = memoryFiles({ 'model.onnx': '', 'tokenizer.json': '<html></html>' });
    expect(await refusesLater(() => TextTokens.read(files, 'model.onnx'), 'a web page')).toBe(true);
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
