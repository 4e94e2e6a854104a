/** @file What the command says of remarks: where the page has a control, files say it. */
import { expect, it } from 'vitest';
import { inFiles } from './words.mjs';

it('says how files are laid out, by task and kind, and the keys that a button would set', () => {
  expect(inFiles('diffusion', { kind: 'no-caption' })).toContain('.txt');
  expect(inFiles('image-classification', { kind: 'no-class' })).toContain('metadata.csv');
  expect(inFiles('text-classification', { kind: 'wrong-row' })).toContain('Correct the rows');
  expect(inFiles('diffusion', { mend: { words: 'x', options: { captionLines: 'first' } } })).toBe(
    'In a job file: caption_lines = "first" under [options].',
  );
  const both = inFiles('image-classification', {
    kind: 'class-order',
    mend: { words: 'x', options: { head: 'new' }, data: { flip: false } },
  });
  expect(both).toMatch(/labels\.txt.*flip = false under \[data\], head = "new" under \[options\]\.$/);
  expect(inFiles('diffusion', { kind: 'twice' })).toBe('');
  expect(inFiles('diffusion', {})).toBe('');
});
