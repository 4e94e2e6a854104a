/** @file What happens to a run while its tab is hidden is said at the return, and its end is told to those who asked. */
import { expect, it, vi } from 'vitest';
import type { Problem } from '#workers/protocol.ts';
import { Notice } from '../page/notice.svelte.ts';
import { Away } from './away.svelte.ts';

function watched({ allowed = true } = {}) {
  let listener = (): void => undefined;
  let now = 0;
  const sight = { hidden: false, addEventListener: (_: string, heard: () => void) => (listener = heard) };
  const show = vi.fn((_: string) => Promise.resolve());
  const allow = vi.fn(() => Promise.resolve(allowed));
  const notice = new Notice({ possible: () => allowed, allow, show });
  const said: Problem[] = [];
  const away = new Away(
    (remark) => said.push(remark),
    sight as unknown as Document,
    notice,
    () => now,
  );
  return {
    ...{ away, said, show, allow, notice },
    steps: (count: number, ms: number) => {
      const record = (step: number) => ({ ...{ step, loss: 1, learningRate: 1, gradNorm: 1 }, ms });
      away.hear({
        kind: 'steps',
        records: Array.from({ length: count }, (_, i) => record(i)),
        secondsLeft: 1,
      });
      now += count * ms;
    },
    look: (hidden: boolean) => {
      sight.hidden = hidden;
      listener();
    },
  };
}

it('says how much slower it was, and for how long', () => {
  const { away, said, steps, look } = watched();
  away.begin();
  steps(10, 1000);
  look(true);
  steps(232, 3100);
  look(false);
  expect(said.map(({ message }) => message)).toEqual(['Slowed down while hidden: 3.1× for 12 min.']);
  // The next time out of sight is a story of its own.
  look(true);
  steps(60, 1000);
  look(false);
  expect(said).toHaveLength(1);
});

it('says nothing of a short time, a small difference, or where nothing is known to compare with', () => {
  const { away, said, steps, look } = watched();
  const hidden = (count: number, ms: number) => {
    look(true);
    steps(count, ms);
    look(false);
  };
  away.begin();
  hidden(100, 5000);
  steps(10, 1000);
  hidden(7, 4000);
  hidden(100, 1400);
  hidden(2, 40_000);
  expect(said).toEqual([]);
  hidden(100, 1600);
  expect(said).toHaveLength(1);
});

it('tells of the end by title and notification while hidden, if asked to', async () => {
  const { away, notice, show, steps, look } = watched();
  away.begin();
  expect(notice.offered).toBe(true);
  await notice.ask();
  expect([notice.wanted, notice.offered]).toEqual([true, false]);
  steps(5, 1000);
  look(true);
  steps(5, 1000);
  away.end('Done', 'Training finished.');
  expect(show.mock.calls).toEqual([['Training finished.']]);
  expect(away.ended).toBe('Done');
  look(false);
  expect(away.ended).toBe('');
  // The next run was not asked for.
  away.begin();
  look(true);
  away.end('Done', 'Training finished.');
  expect(show).toHaveBeenCalledTimes(1);
});

it('bothers nobody who looks on, or who did not ask', async () => {
  const { away, notice, show, allow } = watched();
  away.begin();
  await notice.ask();
  away.end('Done', 'Training finished.');
  expect([show.mock.calls.length, allow.mock.calls.length, away.ended]).toEqual([0, 1, '']);
});

it('is not offered where it is denied', async () => {
  const { notice } = watched({ allowed: false });
  expect(notice.offered).toBe(false);
  await notice.ask();
  expect([notice.offered, notice.wanted]).toEqual([false, false]);
});
