/** @file Smoothing and the chart in words. */
import { describe, expect, it } from 'vitest';
import { layerGroups } from './angles.ts';
import { describeLoss, measureOf, Smoother } from './series.ts';

const smooth = (values: readonly number[], halfLife: number): number[] => {
  const smoother = new Smoother(halfLife);
  return values.map((value) => smoother.add(value));
};

describe('smooth', () => {
  it('leaves a constant as it is, from the first value on', () => {
    for (const value of smooth([0.5, 0.5, 0.5, 0.5], 3)) expect(value).toBeCloseTo(0.5, 12);
  });

  it('halves the weight of a value after halfLife steps', () => {
    // Weights by age are 1, ½, ¼ for a half-life of one step; divided by their sum.
    expect(smooth([4, 0, 0], 1)[2]).toBeCloseTo((4 * 0.25) / 1.75, 12);
  });

  it('passes over values that are not finite', () => {
    const [first, second, third] = smooth([1, Number.NaN, 1], 2);
    expect([first, second, third]).toEqual([1, 1, 1]);
  });

  it('has nothing to say before the first finite value', () => {
    expect(smooth([Number.NaN], 2)).toEqual([Number.NaN]);
  });
});

describe('describeLoss', () => {
  it('names first and last, and held-out ones', () => {
    const text = describeLoss({
      steps: [1, 2, 3],
      smoothed: [0.26, 0.2, 0.18],
      heldout: [
        { step: 0, loss: 0.26 },
        { step: 3, loss: 0.184 },
      ],
    });
    expect(text).toBe(
      'Loss 0.260 at step 1, 0.180 at step 3 (smoothed). Held-out loss 0.260 at step 0, 0.184 at step 3.',
    );
  });

  it('says so when there is none', () => {
    expect(describeLoss({ steps: [], smoothed: [], heldout: [] })).toBe('No loss yet.');
  });
});

describe('measureOf', () => {
  const metric = (name: string, value: number, better: 'higher' | 'neither') =>
    ({ name, value, unit: 'share', better }) as const;
  const evaluations = [
    { step: 0, metrics: [metric('saturation', 0.3, 'neither'), metric('accuracy', 0.47, 'higher')] },
    { step: 20, metrics: [metric('saturation', 0.2, 'neither')] },
    { step: 40, metrics: [metric('accuracy', 0.97, 'higher')] },
  ];

  it('follows the first measure of held-out data, past rows that were only sampled', () => {
    expect(measureOf(evaluations)).toEqual({
      name: 'accuracy',
      unit: 'share',
      points: [
        { step: 0, value: 0.47 },
        { step: 40, value: 0.97 },
      ],
    });
  });

  it('is in the chart’s words', () => {
    const text = describeLoss({ steps: [1], smoothed: [0.2], heldout: [], measure: measureOf(evaluations) });
    expect(text).toBe(
      'Loss 0.200 at step 1, 0.200 at step 1 (smoothed). accuracy 47\u2009% at step 0, 97\u2009% at step 40.',
    );
  });

  it('is none where only samples were measured', () => {
    expect(measureOf([{ step: 0, metrics: [metric('saturation', 0.3, 'neither')] }, { step: 1 }])).toBeNull();
  });
});

it('groups layers in order, each in one group', () => {
  expect(layerGroups([1, 3, 10, 20, 30], 2)).toEqual([2, 20]);
  expect(layerGroups([], 3)).toEqual([0, 0, 0]);
  expect(layerGroups([7], 3).filter((value) => value === 7)).toHaveLength(1);
});
