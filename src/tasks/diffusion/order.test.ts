import { describe, expect, it } from 'vitest';
import { bucketSizes, nearestBucket } from './buckets.ts';
import { ImageOrder } from './order.ts';

describe('bucketSizes', () => {
  it('keeps to the step and the area, wide and tall alike', () => {
    for (const [side, step] of [
      [512, 64],
      [1024, 32],
      [16, 4],
    ] as const) {
      const sizes = bucketSizes(side, step);
      expect(sizes[0]).toEqual({ width: side, height: side });
      const names = sizes.map(({ width, height }) => `${width}x${height}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { width, height } of sizes) {
        expect([width % step, height % step]).toEqual([0, 0]);
        expect(width * height).toBeLessThanOrEqual(side * side);
        // One step more on the longer side would be too much, or too long.
        const [long, short] = [Math.max(width, height), Math.min(width, height)];
        expect((long + step) * short > side * side || long + step > 2 * side).toBe(true);
        expect(names).toContain(`${height}x${width}`);
      }
    }
    expect(bucketSizes(512, 64)).toHaveLength(9);
  });

  it('finds the nearest shape', () => {
    const sizes = bucketSizes(512, 64);
    expect(nearestBucket(sizes, { width: 300, height: 300 })).toBe(0);
    expect(sizes[nearestBucket(sizes, { width: 3000, height: 2000 })]).toEqual({ width: 640, height: 384 });
    expect(sizes[nearestBucket(sizes, { width: 100, height: 9000 })]).toEqual({ width: 256, height: 1024 });
  });
});

describe('ImageOrder', () => {
  const buckets = [0, 2, 0, 0, 2, 0, 0, 0, 2, 0, 3];

  it('fills each batch from one bucket, and shows every image equally often', () => {
    const order = new ImageOrder(7, buckets);
    const seen = buckets.map(() => 0);
    for (let k = 0; k < 2 * buckets.length; k++) {
      const images = order.images(k, 4);
      expect(new Set(images.map((i) => buckets[i]))).toEqual(new Set([order.bucket(k)]));
      for (const i of images) seen[i]!++;
    }
    expect(seen).toEqual(buckets.map(() => 8));
  });

  it('says the same of any batch alone, and another order for another seed', () => {
    const all = (seed: number, alone: boolean) => {
      const inTurn = new ImageOrder(seed, buckets);
      return Array.from({ length: 40 }, (_, k) =>
        (alone ? new ImageOrder(seed, buckets) : inTurn).images(k, 3),
      );
    };
    expect(all(1, true)).toEqual(all(1, false));
    expect(all(2, false)).not.toEqual(all(1, false));
  });
});
