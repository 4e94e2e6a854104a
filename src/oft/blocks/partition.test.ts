/** @file Any width under any block setting: a valid partition, or an error that says what would work. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { chooseBlocks, isMisfit } from './blocks.ts';
import { plannedLayer, widthOf } from '../plan/planned.ts';
import { conv, linear, settings } from '../testing/layers.ts';
import type { BlockChoice, LayerSettings } from '../types.ts';

const whole = (max: number) => fc.integer({ min: 1, max });
const way: fc.Arbitrary<BlockChoice> = fc.oneof(
  fc.record({ dim: fc.oneof(fc.constant(-1), whole(300)) }),
  fc.record({ count: whole(600) }),
  fc.record({ size: whole(600) }),
  fc.constant({ per: 'channel' as const }),
);
const extras = fc.record(
  {
    share: fc.boolean(),
    stages: whole(8),
    fit: fc.constantFrom('exact' as const, 'nearest' as const),
    maxSize: whole(200),
    maxParams: whole(100_000),
  },
  { requiredKeys: [] },
);
const layer = fc.oneof(
  fc.tuple(whole(700), whole(700)).map(([out, input]) => linear('l', out, { in: input })),
  fc
    .tuple(whole(40), whole(40), fc.constantFrom(1, 2, 3, 5), whole(4))
    .map(([out, input, k, groups]) => conv('c', out * groups, k, { in: input * groups, groups })),
);

it('any width × any block setting gives a valid partition or a clear error', () => {
  const seen = { partition: 0, error: 0 };
  fc.assert(
    fc.property(
      layer,
      way,
      extras,
      fc.constantFrom('diag' as const, 'boft' as const),
      fc.constantFrom('output' as const, 'input' as const),
      fc.constantFrom('full' as const, 'triangle' as const),
      fc.boolean(),
      (l, choice, more, algorithm, side, parameters, rescale) => {
        const asked: LayerSettings = settings({
          algorithm,
          side,
          parameters,
          rescale,
          blocks: { ...choice, ...more },
        });
        const got = chooseBlocks(l, asked);
        if (isMisfit(got)) {
          seen.error++;
          expect(got.reason.length).toBeGreaterThan(10);
          expect(got.cure.length).toBeGreaterThan(5);
          return;
        }
        seen.partition++;
        const { count, size, stages, share } = got;
        expect(count * size).toBe(widthOf(l, side));
        expect([count, size, stages].every((n) => Number.isInteger(n) && n >= 1)).toBe(true);
        expect(share).toBe(more.share ?? false);
        if (algorithm === 'boft') {
          expect([side, size % 2]).toEqual(['output', 0]);
          // Stage i mixes rows 2^i·b/2 apart: 2^i·b rows must go into the width.
          expect(widthOf(l, side) % (2 ** (stages - 1) * size)).toBe(0);
        } else expect(stages).toBe(1);
        if (more.maxSize !== undefined && choice.per === undefined)
          expect(size).toBeLessThanOrEqual(more.maxSize);
        if (more.maxParams !== undefined && choice.per === undefined && size > 1)
          expect(plannedLayer(l, asked, got).stored).toBeLessThanOrEqual(more.maxParams);
        if (more.fit !== 'nearest' && more.maxSize === undefined && more.maxParams === undefined) {
          if (choice.size !== undefined) expect(size).toBe(choice.size);
          if (choice.count !== undefined) expect(count).toBe(choice.count);
        }
        const changed =
          (choice.size !== undefined && size !== choice.size) ||
          (choice.count !== undefined && count !== choice.count);
        if (changed) expect(got.notes.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: depth(800, 4000), seed: 3 },
  );
  expect(Math.min(seen.partition, seen.error)).toBeGreaterThan(depth(40, 200));
});
