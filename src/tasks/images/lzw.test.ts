/** @file Strips of LZW with any bytes in them come to an end. A hang fails by the test's time. */
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { Reason } from '#src/platform/refusals.ts';
import { dice } from '#src/tasks/testing/fuzz.ts';
import { isWholeLzw } from './lzw.ts';
import pictures from './testing/pictures.json' with { type: 'json' };
import { decodeTiff } from './tiff.ts';

/** Codes of nine bits, one behind another. */
const packed = (...codes: readonly number[]): Uint8Array => {
  const bits = codes.map((code) => code.toString(2).padStart(9, '0')).join('');
  return Uint8Array.from(bits.match(/.{1,8}/g)!, (byte) => parseInt(byte.padEnd(8, '0'), 2));
};

describe('codes', () => {
  it.each<[string, readonly number[], boolean]>([
    ['bytes', [256, 65, 66, 67, 257], true],
    ['pairs of them', [256, 65, 66, 258, 259, 257], true],
    ['one that the very code before makes', [256, 65, 258, 257], true],
    ['no end', [256, 65, 66], true],
    ['one that nothing made', [256, 65, 66, 260, 257], false],
    ['one of before they were cleared', [256, 65, 66, 256, 258, 257], false],
  ])('%s', (_, codes, whole) => {
    expect(isWholeLzw(packed(...codes), 100)).toBe(whole);
  });

  it('that unpack to more than there can be', () => {
    const codes = [256, 65, ...Array.from({ length: 200 }, (_, i) => 258 + i), 257];
    expect(isWholeLzw(packed(...codes), 201 * 101)).toBe(true);
    expect(isWholeLzw(packed(...codes), 20_000)).toBe(false);
  });
});

it.each(pictures.filter(({ name }) => /lzw/.test(name)))('$name, damaged', ({ file }) => {
  const whole = new Uint8Array(Buffer.from(file, 'base64'));
  const directory = new DataView(whole.buffer).getUint32(4, true);
  let read = 0;
  for (let seed = 0; seed < depth(300, 20_000); seed++) {
    const d = dice(seed);
    const bytes = whole.slice();
    // What is in the strips alone.
    for (let i = 1 + d.whole(5); i > 0; i--) bytes[8 + d.whole(directory - 8)] = d.whole(256);
    try {
      decodeTiff(bytes);
      read++;
    } catch (error) {
      expect(error).toBeInstanceOf(Reason);
    }
  }
  expect(read).toBeGreaterThan(0);
});
