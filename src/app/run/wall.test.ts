/** @file Moving over the wall of samples. */
import { describe, expect, it } from 'vitest';
import { moveCell, wallScale, zoomScale } from './wall.ts';

describe('moveCell', () => {
  const from = { row: 1, column: 1 };
  it.each([
    ['ArrowUp', { row: 0, column: 1 }],
    ['ArrowDown', { row: 2, column: 1 }],
    ['ArrowLeft', { row: 1, column: 0 }],
    ['ArrowRight', { row: 1, column: 2 }],
    ['Home', { row: 1, column: 0 }],
    ['End', { row: 1, column: 3 }],
    ['PageUp', { row: 0, column: 1 }],
    ['PageDown', { row: 2, column: 1 }],
    ['Enter', null],
  ])('%s', (key, to) => expect(moveCell(from, key, 3, 4)).toEqual(to));

  it('stays at the edges', () => {
    expect(moveCell({ row: 0, column: 0 }, 'ArrowUp', 3, 4)).toEqual({ row: 0, column: 0 });
    expect(moveCell({ row: 2, column: 3 }, 'ArrowRight', 3, 4)).toEqual({ row: 2, column: 3 });
  });
});

it('enlarges by whole multiples that fit', () => {
  expect(wallScale(8 * 96 + 7 * 4, 8, 32, 4)).toBe(3);
  expect(wallScale(8 * 96 + 7 * 4 - 1, 8, 32, 4)).toBe(2);
  expect(wallScale(300, 8, 32, 4)).toBe(2);
  expect(wallScale(4000, 2, 32, 4)).toBe(4);
});

it('shrinks pictures that are wider than their share, but not to nothing', () => {
  expect(wallScale(4 * 200 + 3 * 4, 4, 512, 4)).toBe(200 / 512);
  expect(wallScale(8 * 50 + 7 * 4, 8, 512, 4)).toBe(96 / 512);
  expect(wallScale(8 * 80 + 7 * 4, 8, 224, 4)).toBe(96 / 224);
  expect(wallScale(6 * 100 + 5 * 4, 6, 98, 4)).toBe(1);
  expect(wallScale(6 * 70 + 5 * 4, 6, 64, 4)).toBe(1);
  expect(wallScale(6 * 60 + 5 * 4, 6, 80, 4)).toBe(1);
});

it('enlarges one picture by whole multiples, and fits a large one', () => {
  expect(zoomScale(400, 32, 12)).toBe(12);
  expect(zoomScale(100, 32, 12)).toBe(3);
  expect(zoomScale(300, 512, 12)).toBe(300 / 512);
});
