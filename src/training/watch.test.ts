/** @file A run that goes wrong is said, and one that only jumps about is not. */
import { describe, expect, it } from 'vitest';
import { random } from '#src/tasks/random.ts';
import { LossWatch, lossTrouble, type Trouble, type WatchFacts } from './watch.ts';

const facts: WatchFacts = { learningRate: 0.01, usualRate: 0.002, guess: null, warmup: 0 };

/** Everything that is said in a run of these losses, with the step. */
function said(losses: readonly number[], given: Partial<WatchFacts> = {}): [number, Trouble][] {
  const watch = new LossWatch({ ...facts, ...given });
  return losses.flatMap((loss, step): [number, Trouble][] => {
    const trouble = watch.note(loss);
    return trouble ? [[step, trouble]] : [];
  });
}

/** A level by step, times e to the power of Gaussian noise. */
const noisy = (level: (step: number) => number, steps: number, sigma: number, seed: number): number[] =>
  Array.from(random(seed, 'noise', 0).normal(steps), (z, step) => level(step) * Math.exp(sigma * z));

describe('a loss that grows', () => {
  it.each([
    ['at once, and stays there', (k: number) => (k < 8 ? 1.1 : 60)],
    ['step by step', (k: number) => 1.1 * 1.3 ** k],
    ['within the first steps', (k: number) => (k < 1 ? 1.1 : 800)],
    ['from a small one', (k: number) => (k < 30 ? 0.004 : 0.2)],
  ])('%s is said once, with a rate to try', (_, level) => {
    for (let seed = 0; seed < 20; seed++) {
      const found = said(noisy(level, 60, 0.3, seed));
      expect(found.map(([, { kind }]) => kind)).toEqual(['grows']);
      expect(found[0]![1].message).toMatch(/grown to .* times .*learning rate, 0\.01,/);
      expect(found[0]![1].cure).toMatch(/learning rate 0\.002\./);
    }
  });

  it('is said soon: within ten steps of the blow', () => {
    const [[step]] = said([...Array<number>(20).fill(1), ...Array<number>(20).fill(50)]) as [
      [number, Trouble],
    ];
    expect(step).toBeLessThan(30);
  });

  it('lowers a usual rate, too', () => {
    const [[, { cure }]] = said(
      Array.from({ length: 40 }, (_, k) => 1.3 ** k),
      { learningRate: 0.002 },
    ) as [[number, Trouble]];
    expect(cure).toMatch(/0\.0004/);
  });

  it('is not seen in noise: as wild as single diffusion steps, single hard examples, a slow fall, a peak of five times', () => {
    for (let seed = 0; seed < 60; seed++) {
      expect(said(noisy(() => 0.1, 400, 1, seed))).toEqual([]);
      expect(said(noisy((k) => 2 * 0.99 ** k, 400, 0.5, seed))).toEqual([]);
      expect(said(noisy((k) => (k > 20 && k < 40 ? 5 : 1), 100, 0.1, seed))).toEqual([]);
      const hard = random(seed, 'hard', 0).uniform(400);
      expect(said(Array.from(hard, (u) => (u < 0.1 ? 3 : 0.001)))).toEqual([]);
    }
  });

  it('leaves losses at and below zero alone', () => {
    expect(said(Array.from({ length: 50 }, (_, k) => -1 + k))).toEqual([]);
    expect(said([0, 0, 0, 0, 0, ...Array<number>(30).fill(1e-9)])).toEqual([]);
    expect(lossTrouble([NaN, Infinity], facts)).toBeNull();
  });
});

describe('a loss that stays at a guess', () => {
  const guess = Math.log(200);
  it('is said after its first forty steps', () => {
    for (let seed = 0; seed < 20; seed++) {
      const found = said(
        noisy(() => guess, 60, 0.02, seed),
        { guess, learningRate: 0.002 },
      );
      expect(found.map(([step, { kind }]) => [step, kind])).toEqual([[39, 'stays']]);
      expect(found[0]![1].cure).toMatch(/0\.006/);
    }
    expect(said(Array<number>(60).fill(guess), { guess })[0]![1].cure).toMatch(/learning rate 0\.002/);
  });

  it('is not seen where it falls, however slowly, nor where it was never there', () => {
    for (let seed = 0; seed < 40; seed++) {
      const two = Math.log(2);
      expect(
        said(
          noisy((k) => two * 0.998 ** k, 200, 0.15, seed),
          { guess: two },
        ),
      ).toEqual([]);
      expect(
        said(
          noisy((k) => guess * (k < 20 ? 1 : 0.9), 60, 0.02, seed),
          { guess },
        ),
      ).toEqual([]);
      expect(
        said(
          noisy(() => 0.3 * guess, 200, 0.3, seed),
          { guess },
        ),
      ).toEqual([]);
      expect(
        said(
          noisy(() => guess, 55, 0.02, seed),
          { guess, warmup: 20 },
        ),
      ).toEqual([]);
    }
  });
});

it('what was said before a pause is not said again', () => {
  const losses = Array.from({ length: 40 }, (_, k) => 1.3 ** k);
  const watch = new LossWatch(facts, losses.slice(0, 30));
  expect(losses.slice(30).map((loss) => watch.note(loss))).toEqual(Array(10).fill(null));
});
