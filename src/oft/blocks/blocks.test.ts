import { describe, expect, it } from 'vitest';
import { type BlockMisfit, chooseBlocks, divisors, isMisfit, nearestOf } from './blocks.ts';
import { conv, linear, settings } from '../testing/layers.ts';
import type { BlockChoice, Layer, LayerSettings } from '../types.ts';

const choose = (out: number | Layer, blocks: BlockChoice, over: Partial<LayerSettings> = {}) =>
  chooseBlocks(typeof out === 'number' ? linear('a', out) : out, settings({ ...over, blocks }));

/** "n × b", and "in m" for several stages. */
const shape = (out: number | Layer, blocks: BlockChoice, over: Partial<LayerSettings> = {}): string => {
  const made = choose(out, blocks, over);
  if (isMisfit(made)) throw new Error(`${made.reason} ${made.cure}`);
  return `${made.count} × ${made.size}${made.stages > 1 ? ` in ${made.stages}` : ''}`;
};

const refused = (
  out: number | Layer,
  blocks: BlockChoice,
  over: Partial<LayerSettings> = {},
): BlockMisfit => {
  const made = choose(out, blocks, over);
  if (!isMisfit(made)) throw new Error(`fits as ${made.count} × ${made.size}`);
  return made;
};

describe('count and size', () => {
  it('take the paper’s count and a fixed size', () => {
    expect(shape(320, { count: 4 })).toBe('4 × 80');
    expect(shape(320, { size: 32 })).toBe('10 × 32');
  });
  it('name the nearest working values', () => {
    expect(refused(320, { size: 48 })).toMatchObject({ asked: 'size', nearest: [40, 64] });
    expect(refused(7, { count: 4 })).toMatchObject({ asked: 'count', nearest: [1, 7] });
    expect(refused(8, { size: 100 })).toMatchObject({ asked: 'size', nearest: [8] });
    expect(refused(320, { size: 48 }).cure).toContain('size = 40 or 64');
  });
  it('snap as PEFT does if told to: nearest, lower on a tie, never above the width', () => {
    const nearest = (out: number, size: number) => shape(out, { size, fit: 'nearest' });
    expect(nearest(24, 7)).toBe('4 × 6');
    expect(nearest(36, 8)).toBe('4 × 9');
    expect(nearest(8, 32)).toBe('1 × 8');
    expect(choose(24, { size: 7, fit: 'nearest' })).toMatchObject({ notes: ['size 7 → 6'] });
    expect(choose(24, { count: 7, fit: 'nearest' })).toMatchObject({ count: 6, notes: ['count 7 → 6'] });
  });
  it('cut the fan-in on the input side, of one group', () => {
    expect(shape(conv('c', 8, 3, { in: 32, groups: 2 }), { size: 36 }, { side: 'input' })).toBe('4 × 36');
    expect(refused(conv('c', 8, 3, { in: 4 }), { size: 5 }, { side: 'input' }).reason).toContain(
      'a fan-in of 36 (4 channels × 3×3)',
    );
  });
});

describe('per channel', () => {
  it('gives each input channel a rotation of its kernel, or all one', () => {
    const layer = conv('c', 8, 3, { in: 32, groups: 2 });
    expect(choose(layer, { per: 'channel' }, { side: 'input' })).toMatchObject({
      count: 16,
      size: 9,
      share: false,
    });
    expect(choose(layer, { per: 'channel', share: true }, { side: 'input' })).toMatchObject({ share: true });
  });
  it('refuses linear layers, BOFT and the output side', () => {
    expect(refused(8, { per: 'channel' }, { side: 'input' }).cure).toContain('kind = "conv"');
    expect(refused(conv('c', 8), { per: 'channel' }).cure).toContain('side = "input"');
    expect(refused(conv('c', 8), { per: 'channel' }, { algorithm: 'boft' }).cure).toContain('diag-oft');
  });
  it('keeps caps, or says what would', () => {
    const cap = (caps: BlockChoice) => refused(conv('c', 8), { per: 'channel', ...caps }, { side: 'input' });
    expect(cap({ maxSize: 8 }).nearest).toEqual([9]);
    expect(cap({ maxParams: 1000 }).nearest).toEqual([16 * 81]);
  });
});

describe('BOFT', () => {
  const boft = { algorithm: 'boft' } as const;
  it('has log₂n + 1 stages, or as many as the halvings of n allow', () => {
    expect(shape(64, { size: 8 }, boft)).toBe('8 × 8 in 4');
    expect(shape(24, { size: 2 }, boft)).toBe('12 × 2 in 3');
    expect(shape(12, { count: 3 }, boft)).toBe('3 × 4');
  });
  it('takes fewer stages, and no more than fit', () => {
    expect(shape(64, { size: 8, stages: 2 }, boft)).toBe('8 × 8 in 2');
    expect(refused(24, { size: 4, stages: 3 }, boft)).toMatchObject({ asked: 'stages', nearest: [2] });
    expect(choose(24, { size: 8, stages: 3, fit: 'nearest' }, boft)).toMatchObject({
      size: 6,
      stages: 3,
      notes: ['size 8 → 6'],
    });
    expect(choose(24, { size: 8, stages: 9, fit: 'nearest' }, boft)).toMatchObject({ size: 6, stages: 3 });
    expect(refused(6, { size: 2, stages: 4 }, boft)).toMatchObject({ asked: 'stages', nearest: [1] });
  });
  it('needs even blocks', () => {
    expect(refused(30, { size: 5 }, boft)).toMatchObject({ asked: 'size', nearest: [2, 6] });
    expect(refused(320, { count: 64 }, boft).reason).toContain('an odd size');
    expect(refused(7, { count: 1 }, boft).cure).toContain('diag-oft');
    expect(refused(320, { dim: 4 }, boft)).toMatchObject({ asked: 'dim', nearest: [10] });
    expect(shape(320, { dim: 4, fit: 'nearest' }, boft)).toBe('32 × 10 in 6');
  });
  it('stays on the output side', () => {
    expect(refused(8, { size: 2 }, { ...boft, side: 'input' }).cure).toContain('side = "output"');
  });
});

describe('caps', () => {
  it('take the largest size at or below them, and say so', () => {
    expect(choose(1280, { count: 4, maxSize: 100 })).toMatchObject({
      count: 16,
      size: 80,
      notes: ['size 320 → 80 by the cap'],
    });
    expect(choose(320, { count: 4, maxParams: 10_000 })).toMatchObject({ size: 20 });
    expect(choose(320, { count: 4, maxParams: 10_000 }, { parameters: 'triangle' })).toMatchObject({
      size: 40,
    });
    expect(choose(320, { count: 4, maxParams: 10_000, share: true })).toMatchObject({ size: 80 });
    expect(choose(320, { size: 32, maxSize: 64 })).toMatchObject({ size: 32, notes: [] });
  });
  it('count rescale in', () => {
    expect(refused(320, { size: 32, maxParams: 320 }, { rescale: true }).nearest).toEqual([640]);
  });
  it('leave LyCORIS’s dims within what it loads', () => {
    expect(shape(320, { dim: 80, maxSize: 30 }, { algorithm: 'boft' })).toBe('16 × 20 in 5');
    expect(refused(320, { dim: 80, maxSize: 8 }, { algorithm: 'boft' })).toMatchObject({
      asked: 'max_size',
      nearest: [10],
    });
  });
});

it('lists divisors and the nearest of several', () => {
  expect(divisors(36)).toEqual([1, 2, 3, 4, 6, 9, 12, 18, 36]);
  expect(divisors(1)).toEqual([1]);
  expect(nearestOf([2, 4], 3)).toBe(2);
});
