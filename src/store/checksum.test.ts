/** @file One bit, one key, one sign: another checksum. */
import { expect, it } from 'vitest';
import { random } from '#src/tasks/random.ts';
import { checksum } from './checksum.ts';

const content = () => ({
  step: 7,
  name: 'ü',
  none: null,
  state: { theta: Float32Array.of(1, -2.5, 0), rows: new Uint8ClampedArray([1, 2, 3]) },
  history: [
    { step: 0, loss: NaN, skipped: true },
    { step: 1, loss: -0 },
  ],
});

it('is the same of a clone, and in any order of keys', async () => {
  const sum = await checksum(content());
  expect(sum).toMatch(/^[0-9a-f]{16}$/);
  expect(await checksum(structuredClone(content()))).toBe(sum);
  const { step, ...rest } = content();
  expect(await checksum({ ...rest, step, absent: undefined })).toBe(sum);
  // A view in the middle of a buffer has its own bytes alone.
  const wide = Float32Array.of(9, 1, -2.5, 0, 9);
  const inner = { ...content().state, theta: wide.subarray(1, 4) };
  expect(await checksum({ ...content(), state: inner })).toBe(sum);
});

it('is another one of whatever differs', async () => {
  const others: unknown[] = [
    { ...content(), step: 8 },
    { ...content(), step: '7' },
    { ...content(), none: 'null' },
    { ...content(), none: undefined },
    { ...content(), name: 'u' },
    { ...content(), history: content().history.slice(1) },
    { ...content(), history: [content().history] },
    { ...content(), history: [content().history[0], { step: 1, loss: 0 }] },
    { ...content(), state: { ...content().state, theta: Int32Array.of(1, 2, 0) } },
    { ...content(), state: { ...content().state, rows: new Uint8Array([1, 2, 3]) } },
    ['ab', 'c'],
    ['a', 'bc'],
    ['abc'],
  ];
  const sums = await Promise.all([content(), ...others].map(checksum));
  expect(new Set(sums).size).toBe(sums.length);
});

it('is another one for every bit that flips', async () => {
  const theta = random(1, 'theta', 0).normal(64);
  const sum = await checksum({ theta });
  const flips = random(1, 'flips', 0).uniform(200);
  for (const u of flips) {
    const damaged = theta.slice();
    const bytes = new Uint8Array(damaged.buffer);
    const bit = Math.floor(u * bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(await checksum({ theta: damaged })).not.toBe(sum);
  }
});
