/** @file The picture of a rotation holds every row once a stage, and its butterfly joins what BOFT joins. */
import { expect, it } from 'vitest';
import { blockRuns, stagePath } from './blockGeometry.ts';

const cut = (algorithm: 'diag' | 'boft', count: number, size: number, stages = 1) => ({
  algorithm,
  count,
  size,
  stages,
  width: count * size,
});
const rows = (c: ReturnType<typeof cut>, stage: number) =>
  Array.from({ length: c.count }, (_, j) =>
    blockRuns(c, stage, j).flatMap(([from, n]) => Array.from({ length: n }, (_x, i) => from + i)),
  );

it('puts diagonal blocks one after the other', () => {
  expect(rows(cut('diag', 3, 2), 0)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
});

it('joins rows ever further apart, each once a stage', () => {
  const boft = cut('boft', 4, 4, 3);
  expect(rows(boft, 0)[1]).toEqual([4, 5, 6, 7]);
  expect(rows(boft, 1)[0]).toEqual([0, 1, 4, 5]);
  expect(rows(boft, 1)[1]).toEqual([2, 3, 6, 7]);
  expect(rows(boft, 2)[3]).toEqual([6, 7, 14, 15]);
  for (const stage of [0, 1, 2])
    expect(
      rows(boft, stage)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 16 }, (_, i) => i));
});

it('draws as many entries as there are numbers, to scale', () => {
  const area = (path: string) =>
    [...path.matchAll(/h(\d+)v(\d+)/g)].reduce((sum, [, w, h]) => sum + Number(w) * Number(h), 0);
  expect(area(stagePath(cut('diag', 80, 4), 0))).toBe(80 * 16);
  expect(area(stagePath(cut('boft', 8, 8, 4), 2))).toBe(8 * 64);
});

it('draws thousands of blocks as a band', () => {
  expect(stagePath(cut('diag', 5120, 2), 0).length).toBeLessThan(200);
  expect(stagePath(cut('boft', 1024, 8, 11), 3)).toMatch(/^M0 0h.*zM32 0/);
});
