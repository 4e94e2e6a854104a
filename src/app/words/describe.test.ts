/** @file Plans in words. */
import { expect, it } from 'vitest';
import { describeBlocks, describeLayer } from './describe.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakePlan } from '../testing/fakeLayers.ts';

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
