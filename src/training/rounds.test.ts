import { describe, expect, it } from 'vitest';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import type { Layer } from '#src/oft/types.ts';
import { largestNorm, nextRounds } from './rounds.ts';

const never = (): number => {
  throw new Error('the norm was asked for');
};

describe('nextRounds', () => {
  it('leaves a small residual alone, and does not look at the blocks', () => {
    expect(nextRounds(10, 1e-6, never)).toBe(10);
    expect(nextRounds(30, 1, never)).toBe(30);
  });

  it('leaves rounding alone: the rounds suffice for the norm', () => {
    expect(nextRounds(22, 5e-6, () => 60)).toBe(22);
  });

  it('gives rounds for half as much again as the blocks have now', () => {
    expect(nextRounds(10, 3e-6, () => 4)).toBe(12);
    expect(nextRounds(10, 3e-6, () => 20)).toBe(22);
  });

  it('gives more where the inverse did not converge, whatever the norm says', () => {
    expect(nextRounds(10, 0.1, () => 0)).toBe(14);
    expect(nextRounds(28, Infinity, () => 0)).toBe(30);
  });
});

it('largestNorm sees only blocks whose inverse takes rounds', () => {
  const layer: Layer = {
    path: 'a',
    kind: 'linear',
    nodes: ['n'],
    initializer: 'w',
    op: 'MatMul',
    in: 8,
    out: 10,
    kernel: [],
    stride: [],
    groups: 1,
    transposed: true,
  };
  const planned = [
    plannedLayer(layer, defaultSettings, { count: 2, size: 5 }),
    plannedLayer({ ...layer, path: 'b' }, { ...defaultSettings, neumannTerms: 5 }, { count: 2, size: 5 }),
    plannedLayer({ ...layer, path: 'c', out: 8 }, defaultSettings, { count: 2, size: 4 }),
  ];
  const layout = parameterLayout(planned);
  const theta = new Float32Array(layout.size).fill(0);
  for (const group of layout.groups) {
    // One entry b₀₁ of the group's first block: ‖Q‖₂ is its size.
    const exact = group.size === 5 && group.neumannTerms === null;
    theta[group.offset + 1] = exact ? -3 : 100;
  }
  expect(largestNorm(layout, theta)).toBeCloseTo(3, 6);
});
