/** @file Weights in blocks of whole numbers: how far they are from what they were. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bits, blockSize, type Blocks, type Blockwise, scalesShape, toBlocks } from './blockwise.ts';
import { sizeOf } from './tensor.ts';

/** By the definition of DequantizeLinear. */
function widened({ numbers, scales }: Blockwise, shape: readonly number[], blocks: Blocks): Float32Array {
  const inner = sizeOf(shape.slice(blocks.axis + 1));
  const length = shape[blocks.axis]!;
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [row, along] = [Math.floor(i / (length * inner)), Math.floor(i / inner) % length];
    const scale =
      scales[(row * (length / blocks.size) + Math.floor(along / blocks.size)) * inner + (i % inner)]!;
    const nibble = (numbers[i >> 1]! >> (4 * (i & 1))) & 15;
    return Math.fround(scale * (blocks.bits === 8 ? numbers[i]! - 128 : nibble > 7 ? nibble - 16 : nibble));
  });
}

/** The numbers of each block. */
function blocksOf(values: Float32Array, shape: readonly number[], { axis, size }: Blocks): number[][] {
  const inner = sizeOf(shape.slice(axis + 1));
  const found: number[][] = Array.from({ length: values.length / size }, () => []);
  values.forEach((x, i) => {
    const [at, rest] = [Math.floor(i / inner), i % inner];
    found[Math.floor(at / size) * inner + rest]!.push(x);
  });
  return found;
}

const norm = (xs: readonly number[]): number => Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0));

/** Odd axes, blocks in the middle and at the end, and what is not like noise: zeros, one huge number, the smallest there are. */
const tensors = fc
  .record({
    bits: fc.constantFrom<Bits>(4, 8),
    before: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }),
    after: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }),
    size: fc.integer({ min: 16, max: 67 }),
    times: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
    kind: fc.constantFrom('noise', 'zeros', 'one huge', 'tiny', 'large', 'one sign'),
  })
  .map(({ bits, before, after, size, times, seed, kind }) => {
    const shape = [...before, size * times, ...after];
    const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const x = Math.sin((i + 1) * 12.9898 + seed) * Math.cos(i * i + seed);
      if (kind === 'zeros') return 0;
      if (kind === 'tiny') return x * 1e-44;
      if (kind === 'large') return x * 3e38;
      return kind === 'one huge' && i === seed % 16 ? 1e9 : kind === 'one sign' ? Math.abs(x) : x;
    });
    return { shape, values, blocks: { bits, axis: before.length, size } };
  });

describe('toBlocks', () => {
  it('is as near as rounding by absolute maximum, block by block', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, async ({ shape, values, blocks }) => {
        const made = await toBlocks('w', values, shape, blocks);
        expect(made.scales).toHaveLength(sizeOf(scalesShape(shape, blocks)));
        const near = widened(made, shape, blocks);
        const [own, rounded] = [blocksOf(values, shape, blocks), blocksOf(near, shape, blocks)];
        own.forEach((block, b) => {
          const most = Math.max(...block.map(Math.abs));
          const levels = blocks.bits === 8 ? 127 : 7;
          const step = Math.fround(most / levels);
          const away = block.map((x, i) => Math.abs(x - rounded[b]![i]!));
          // Scales and results are in single precision, whose smallest numbers lie 2⁻¹⁴⁹ apart.
          const slack = most * 1e-6 + levels * 2 ** -149;
          const plain = block.map((x) => (step === 0 ? x : x - step * Math.round(x / step)));
          expect(norm(away)).toBeLessThanOrEqual(norm(plain) + slack);
          if (blocks.bits === 8) expect(Math.max(...away)).toBeLessThanOrEqual(step / 2 + slack);
        });
        const error = norm([...values].map((x, i) => x - near[i]!)) / norm([...values]);
        if (norm([...values]) === 0) expect(made.error).toBe(0);
        else if (norm([...values]) > 1e-30) expect(made.error).toBeCloseTo(error, 5);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps what whole numbers can say', async () => {
    const values = Float32Array.from({ length: 64 }, (_, i) => ((i % 16) - 8) * 0.25);
    const blocks: Blocks = { bits: 4, axis: 0, size: 32 };
    const made = await toBlocks('w', values, [64], blocks);
    expect([...widened(made, [64], blocks)]).toEqual([...values]);
    expect(made.error).toBe(0);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s by the weight’s name', async (bad) => {
    const values = new Float32Array(64).fill(1);
    values[40] = bad;
    await expect(
      toBlocks('layers.3.weight', values, [2, 32], { bits: 4, axis: 1, size: 32 }),
    ).rejects.toThrow(/^The weight layers\.3\.weight holds numbers that are not finite/);
  });
});

describe('blockSize', () => {
  it.each([
    [4, 576, 32],
    [8, 576, 64],
    [8, 96, 48],
    [4, 51, 17],
    [4, 20, 20],
    [4, 3, null],
    [4, 61, null],
    [8, 61, 61],
    [8, 127, null],
  ] as const)('%i bits over %i numbers: %s', (bits, axis, size) => expect(blockSize(bits, axis)).toBe(size));
});
