/** @file A run goes on in the next worker where one ends; workers are functions here. */
import { expect, it, vi } from 'vitest';
import type { Outcome, Problem, RunResult } from '#workers/protocol.ts';
import { goingOn, RESTARTS } from './goingOn.ts';
import { failed } from './problems.ts';
import { ended, silent } from './watchdog.ts';

const done = { ok: true, value: { outcome: 'finished' } as RunResult } as const;
const gone: Outcome<RunResult> = failed({ code: 'no-run', message: 'Not saved.' });

/** Workers that answer so, one after the other; an error: it ends. */
function lab(answers: readonly (Outcome<RunResult> | Error)[], minutes: readonly number[] = []) {
  const left = [...answers];
  const asked: boolean[] = [];
  const notes: (Problem | undefined)[] = [];
  const discard = vi.fn(() => Promise.resolve());
  const clock = [...minutes];
  let now = 0;
  const host = {
    ask: (resume: boolean, note?: Problem) => {
      asked.push(resume);
      notes.push(note);
      now += (clock.shift() ?? 0) * 60_000;
      const answer = left.shift()!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    discard,
    now: () => now,
  };
  return { host, asked, notes, discard };
}

it('asks one worker where that one brings the run to its end', async () => {
  const { host, asked, notes } = lab([done]);
  expect(await goingOn(host, false)).toBe(done);
  expect(asked).toEqual([false]);
  expect(notes).toEqual([undefined]);
});

it('goes on from the last saved state in another worker, and says so', async () => {
  const { host, asked, notes } = lab([silent(), ended(), done]);
  expect(await goingOn(host, false)).toBe(done);
  expect(asked).toEqual([false, true, true]);
  expect(notes).toEqual([
    undefined,
    {
      code: 'restarted',
      message:
        'The part of Rotune that computes did not answer for 10 s and was started anew. The run went on by itself from its last saved state.',
      cure: 'Nothing is to be done. If it happens again, reload the page.',
    },
    expect.objectContaining({ message: expect.stringContaining('ended unexpectedly') as unknown }),
  ]);
});

it('begins again where nothing was saved yet', async () => {
  const { host, asked, discard } = lab([ended(), gone, done]);
  expect(await goingOn(host, false)).toBe(done);
  expect(asked).toEqual([false, true, false]);
  expect(discard).toHaveBeenCalledTimes(1);
});

it('does not begin a saved run again that is not there any more', async () => {
  const { host, asked, discard } = lab([ended(), gone]);
  expect(await goingOn(host, true)).toBe(gone);
  expect(asked).toEqual([true, true]);
  expect(discard).not.toHaveBeenCalled();
});

it('waits for a worker that ended and still holds the run, and not for ever', async () => {
  const held: Outcome<RunResult> = failed({ code: 'another-tab', message: 'It trains elsewhere.' });
  const slow = lab([silent(), held, held, done]);
  expect(await goingOn(slow.host, false)).toBe(done);
  expect(slow.asked).toEqual([false, true, true, true]);
  const never = lab([silent(), ...Array.from({ length: 50 }, () => held)]);
  expect(await goingOn(never.host, false)).toBe(held);
  expect(never.asked.length).toBeLessThan(10);
  // No worker of ours ended: it is another tab's.
  const other = lab([held, done]);
  expect(await goingOn(other.host, true)).toBe(held);
});

it('gives up on workers that end again and again', async () => {
  const deaths = Array.from({ length: RESTARTS + 1 }, ended);
  const { host, asked } = lab(deaths);
  await expect(goingOn(host, false)).rejects.toBe(deaths.at(-1));
  expect(asked).toHaveLength(RESTARTS + 1);
});

it('counts only those that ended lately', async () => {
  const { host } = lab([ended(), ended(), ended(), ended(), ended(), done], [0, 2, 2, 2, 2]);
  expect(await goingOn(host, false)).toBe(done);
});

it('leaves other errors alone', async () => {
  const other = new Error('other');
  await expect(goingOn(lab([other]).host, false)).rejects.toBe(other);
});
