/** @file Texts with their special tokens, cut as 🤗 tokenizers cuts them (e2e/examples/letters.py). */
import { expect, it } from 'vitest';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { framed, longestFirst } from './framed.ts';
import cases from './testing/framed.json' with { type: 'json' };
import { TextTokens } from './tokens.ts';

const tokens = await TextTokens.read(diskFiles('public/models/topics'), 'model.onnx');

it.each(cases)('"$text" and "$pair" in $longest tokens', async ({ text, pair, longest, ids, types }) => {
  const made = await framed(tokens, text, pair, longest);
  expect([made.ids, made.types]).toEqual([ids, types]);
  expect(made.lost).toBe((await framed(tokens, text, pair, 0)).ids.length - ids.length);
});

it('cuts the longer of two texts first, then both', () => {
  expect(longestFirst(3, 4, 9)).toEqual([3, 4]);
  expect(longestFirst(3, 40, 10)).toEqual([3, 7]);
  expect(longestFirst(40, 3, 10)).toEqual([7, 3]);
  expect(longestFirst(40, 50, 11)).toEqual([5, 6]);
  expect(longestFirst(50, 40, 11)).toEqual([6, 5]);
});
