import { describe, expect, it } from 'vitest';
import { type Layout, parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { usualRate } from '#src/oft/plan/rates.ts';
import type { Layer, LayerSettings } from '#src/oft/types.ts';
import { firstRounds, largestNorm, nextRounds } from './rounds.ts';

const layerOf = (out: number): Layer => ({
  path: 'a',
  kind: 'linear',
  nodes: ['n'],
  initializer: 'w',
  op: 'MatMul',
  in: 8,
  out,
  kernel: [],
  stride: [],
  groups: 1,
  transposed: true,
});

const never = (): number => {
  throw new Error('the norm was asked for');
};

describe('firstRounds', () => {
  const layoutOf = (size: number, over: Partial<LayerSettings> = {}): Layout =>
    parameterLayout([plannedLayer(layerOf(4 * size), { ...defaultSettings, ...over }, { count: 4, size })]);
  const at = (learningRate: number, blockwiseRate = false) => ({ learningRate, blockwiseRate });

  it.each([8, 16, 32, 64])('are three at ten times the usual rate, b = %i', (size) => {
    const usual = usualRate({ ...defaultSettings, blocks: { size } });
    expect(firstRounds(layoutOf(size), at(usual))).toBe(3);
    expect(firstRounds(layoutOf(size), at(10 * usual))).toBe(3);
    expect(firstRounds(layoutOf(size), at(10 * usualRate({ ...defaultSettings }, true), true))).toBe(3);
  });

  it('grow with the rate, up to what suffices from anywhere', () => {
    expect(firstRounds(layoutOf(8), at(0.03))).toBe(4);
    expect(firstRounds(layoutOf(8), at(0.1))).toBe(11);
    // A number of a triangle moves Q by half as much.
    expect(firstRounds(layoutOf(8, { parameters: 'triangle' }), at(0.03))).toBe(3);
    expect(firstRounds(layoutOf(8, { lrScale: 0.1 }), at(0.1))).toBe(3);
  });

  it('do not matter where nothing takes rounds', () => {
    expect(firstRounds(layoutOf(4), at(1))).toBe(3);
    expect(firstRounds(layoutOf(8, { neumannTerms: 5 }), at(1))).toBe(3);
  });
});

describe('nextRounds', () => {
  it('leaves a small residual alone, and does not look at the blocks', () => {
    expect(nextRounds(10, 1e-6, never)).toBe(10);
    expect(nextRounds(30, 1, never)).toBe(30);
  });

  it('leaves rounding alone: the rounds suffice for the norm', () => {
    expect(nextRounds(23, 5e-6, () => 60)).toBe(23);
  });

  it('brings down half as large an error again as the residual began with', () => {
    // 3e-4 after three rounds: 0.36 before, 0.54 is wanted, and 0.54³² < 2e-6 < 0.54¹⁶.
    expect(nextRounds(3, 3e-4, () => 30)).toBe(5);
    expect(nextRounds(3, 3e-6, () => 30)).toBe(4);
  });

  it('gives at most what suffices from anywhere: for half as much again as the blocks have now, and the round that is lost', () => {
    expect(nextRounds(3, 0.1, () => 4)).toBe(13);
    expect(nextRounds(10, 3e-6, () => 20)).toBe(23);
    expect(nextRounds(3, 3e-4, () => 0)).toBe(5);
  });

  it('gives more where the inverse did not converge, whatever the norm says', () => {
    expect(nextRounds(10, 0.1, () => 0)).toBe(14);
    expect(nextRounds(28, Infinity, () => 0)).toBe(30);
  });
});

it('largestNorm sees only blocks whose inverse takes rounds', () => {
  const layer = layerOf(10);
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
