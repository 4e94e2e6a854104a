/** @file The contact sheet, read back by another implementation. */
import { PNG } from 'pngjs';
import { expect, it } from 'vitest';
import { contactSheet } from './png.mjs';

it('lays pictures out in rows of eight, enlarged by whole multiples, on paper', () => {
  const picture = (shade: number) => ({
    width: 32,
    height: 32,
    rgba: Uint8ClampedArray.from({ length: 32 * 32 * 4 }, (_, i) => (i % 4 === 3 ? 255 : shade + (i % 4))),
  });
  const sheet = PNG.sync.read(contactSheet(Array.from({ length: 9 }, (_, i) => picture(i * 20))));
  expect([sheet.width, sheet.height]).toEqual([8 * 136 + 8, 2 * 136 + 8]);
  const at = (x: number, y: number) => [
    ...sheet.data.subarray((y * sheet.width + x) * 4, (y * sheet.width + x) * 4 + 3),
  ];
  expect(at(0, 0)).toEqual([0xfa, 0xf8, 0xf4]);
  expect(at(8, 8)).toEqual([0, 1, 2]);
  expect(at(8 + 127, 8 + 127)).toEqual([0, 1, 2]);
  expect(at(8 + 128, 8)).toEqual([0xfa, 0xf8, 0xf4]);
  expect(at(8 + 136, 8)).toEqual([20, 21, 22]);
  expect(at(8, 8 + 136)).toEqual([160, 161, 162]);
});
