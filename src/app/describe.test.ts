/** @file Plans in words, and who can load them. */
import { expect, it } from 'vitest';
import { describeBlocks, describeLayer, loaderNotes } from './describe.ts';
import { fakeJob } from './testing/fakeJob.ts';
import { fakePlan } from './testing/fakeLayers.ts';

it('names blocks and layers', () => {
  expect([{ dim: 4 }, { count: 1 }, { size: 32 }, { per: 'channel' as const }].map(describeBlocks)).toEqual([
    'dim 4, as LyCORIS cuts it',
    '1 block a layer',
    'blocks of 32',
    'one rotation a channel',
  ]);
  const layers = fakePlan(fakeJob.plan).map(({ layer }) => describeLayer(layer));
  expect(layers[0]).toBe('conv 3×3, 3 → 32');
  expect(layers[1]).toBe('linear 32 → 128');
});

it('says which loaders take a file only in part', () => {
  expect(loaderNotes(fakePlan(fakeJob.plan), fakeJob.plan)).toEqual([]);
  const fixed = { ...fakeJob.plan, blocks: { count: 4 }, rescale: true };
  const notes = loaderNotes(fakePlan(fixed), fixed);
  expect(notes[0]).toContain('such as conv_in');
  expect(notes[1]).toContain('ComfyUI');
});
