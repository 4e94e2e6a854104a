/** @file Moving over the wall of samples. */
import { describe, expect, it } from 'vitest';
import { moveCell, wallScale } from './wall.ts';

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
