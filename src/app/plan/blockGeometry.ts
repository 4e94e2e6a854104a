/** @file Where a layer's rotation has numbers: SVG paths over its matrix, in units of rows and columns. */
import type { PlannedLayer } from '#src/oft/types.ts';

type Cut = Pick<PlannedLayer, 'algorithm' | 'count' | 'size' | 'stages' | 'width'>;

/** Beyond this many blocks a drawing is grey mush: a band along the diagonal says the same. */
const MANY = 512;

/** Runs of rows that block `j` of a stage joins: one run for diag, two runs k apart for a butterfly stage. */
export function blockRuns({ algorithm, size }: Cut, stage: number, j: number): readonly [number, number][] {
  if (algorithm === 'diag') return [[j * size, size]];
  // BOFT sees rows (c, 2, k) as (c, k, 2): block j holds b/2 neighbours and as many k rows further on.
  const half = size / 2;
  const k = 2 ** stage * half;
  const start = (j * half) % k;
  const base = Math.floor((j * half) / k) * 2 * k;
  return [
    [base + start, half],
    [base + k + start, half],
  ];
}

/** The entries of one stage's matrix that can differ from 0, as a path in a square of width × width. */
export function stagePath(cut: Cut, stage: number): string {
  const { count, size, width } = cut;
  if (count > MANY) {
    const far = cut.algorithm === 'diag' ? [0] : [0, 2 ** stage * (size / 2)];
    const reach = Math.max(size, width / 128);
    return far
      .flatMap((d) => (d === 0 ? [0] : [d, -d]))
      .map((d) => {
        const [x, y] = [Math.max(0, d), Math.max(0, -d)];
        const long = width - Math.abs(d) - reach;
        return `M${x} ${y}h${reach}l${long} ${long}v${reach}h${-reach}l${-long} ${-long}z`;
      })
      .join('');
  }
  return Array.from({ length: count }, (_, j) => {
    const runs = blockRuns(cut, stage, j);
    return runs
      .flatMap(([row, rows]) =>
        runs.map(([column, across]) => `M${column} ${row}h${across}v${rows}h${-across}z`),
      )
      .join('');
  }).join('');
}

/** Share of the full matrix's entries that a stage may fill. */
export const filledShare = ({ size, width }: Cut): number => size / width;
