/** @file Headlines say what was measured, and how the run ended. */
import { describe, expect, it } from 'vitest';
import type { Metric } from '#workers/protocol.ts';
import { type Ended, headlineOf } from './headline.ts';

const judged = (...losses: readonly (number | null)[]): Ended['evaluations'] =>
  losses.map((heldoutLoss, i) => ({ step: 60 * i, heldoutLoss }));
const ended = (over: Partial<Ended>) =>
  headlineOf({ outcome: 'finished', step: 120, total: 120, evaluations: [], ...over });
/** Thin spaces stand before signs. */
const plain = (text: string) => text.replaceAll('\u2009', ' ');

describe('a headline', () => {
  it.each([
    ['a loss that fell', { evaluations: judged(0.2, 0.17, 0.158) }, 'Held-out loss fell by 21 %'],
    ['one that rose', { evaluations: judged(0.2, 0.206) }, 'It has not learned: held-out loss rose by 3 %'],
    [
      'one that stayed',
      { evaluations: judged(0.2, 0.2004) },
      'It has hardly changed: held-out loss is what it was',
    ],
    [
      'one that is lost',
      { evaluations: judged(0.2, NaN) },
      'It has not learned: the held-out loss is no number any more',
    ],
    ['one below zero', { evaluations: judged(-1, -2) }, 'Held-out loss went from -1.00 to -2.00'],
    ['a stop', { outcome: 'stopped', step: 9, evaluations: judged(0.2, 0.1) }, 'Stopped at step 9 of 120'],
    [
      'a stop after all steps',
      { outcome: 'stopped', evaluations: judged(0.2, 0.1) },
      'Held-out loss fell by 50 %',
    ],
    [
      'a run of no length',
      { step: 2, total: 2, evaluations: judged(0.2, 0.1) },
      'Trained 2 steps: too few to tell',
    ],
    ['one step', { step: 1, total: 1 }, 'Trained 1 step: too few to tell'],
    ['nothing held out', {}, 'Trained 120 steps'],
    ['one judgement alone', { evaluations: judged(0.2) }, 'Trained 120 steps'],
    ['judgements without a loss', { evaluations: judged(null, null) }, 'Trained 120 steps'],
  ] satisfies [string, Partial<Ended>, string][])('for %s', (_, over, title) => {
    expect(plain(ended(over).title)).toBe(title);
  });

  it('is followed by what the measure says, and by what is not known', () => {
    const accuracy = (value: number): Metric[] => [
      { name: 'accuracy', value, unit: 'share', better: 'higher' },
    ];
    const evaluations = [
      { step: 0, heldoutLoss: 1, metrics: accuracy(0.5) },
      { step: 120, heldoutLoss: 0.5, metrics: accuracy(0.94) },
    ];
    expect(plain(ended({ evaluations }).note)).toBe('After 120 steps. Accuracy went from 50 % to 94 %.');
    expect(plain(ended({ outcome: 'stopped', step: 9, evaluations }).note)).toBe(
      'Held-out loss fell by 50 %. Accuracy went from 50 % to 94 %.',
    );
    expect(ended({}).note).toBe('No held-out data say how well it does.');
    expect(ended({ evaluations: judged(0.2) }).note).toContain('judged once');
    const drawn: Metric = { name: 'saturation', value: 0.2, unit: 'number', better: 'neither' };
    expect(ended({ evaluations: [{ step: 0, heldoutLoss: null, metrics: [drawn] }] }).note).toBe(
      'No held-out data say how well it does.',
    );
  });

  it('never claims what was not measured', () => {
    for (const step of [0, 1, 9, 119, 120])
      for (const outcome of ['finished', 'stopped'] as const)
        for (const evaluations of [judged(), judged(0.2), judged(null, null)]) {
          const { title, note } = ended({ step, outcome, evaluations });
          expect(`${title} ${note}`).not.toMatch(/learned|fell|better/);
        }
  });

  it('of new classes says how well it knows them, not what an untrained last layer guessed', () => {
    const accuracy = (step: number, value: number) => ({
      ...{ step, heldoutLoss: 1.1 - value },
      metrics: [{ name: 'accuracy', value, unit: 'share', better: 'higher' } as const],
    });
    const evaluations = [accuracy(0, 0.33), accuracy(120, 0.94)];
    const { title, note } = ended({ newClasses: true, evaluations });
    expect(plain(title)).toBe('Accuracy is 94 %');
    expect(note).toBe(
      'After 120 steps. The untouched model does not know these classes: its last layer is new.',
    );
    const never = ended({ newClasses: true, evaluations: [accuracy(0, 0.33)] });
    expect(never).toEqual({
      title: 'Trained 120 steps',
      note: 'Held-out data were judged once, so that nothing says what changed.',
    });
    const byLoss = ended({ newClasses: true, evaluations: judged(1.1, 0.25) });
    expect(byLoss.title).toBe('Held-out loss is 0.250');
  });
});
