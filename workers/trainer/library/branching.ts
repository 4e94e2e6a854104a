/** @file What is done with a run that stands still: ended, made to go on at another rate, or an earlier checkpoint of it made a run of its own. */
import { FACTORS, withChange } from '#src/optim/rates.ts';
import type { RunHeader, WrittenHeader } from '#src/store/runHeader.ts';
import type { Problem, RateChange, RunSummary } from '../../protocol.ts';
import { ProblemError } from '../problems.ts';
import { gone } from '../run/resume.ts';
import type { Runs } from '../saved.ts';

/** What is written of a header: the rest is its record's. */
function written(header: RunHeader): WrittenHeader {
  const { name: _, bytes: __, checkpoints: ___, ...known } = header;
  return known;
}

/** The run is over from now on, with what it learned so far. Throws ProblemError or StoreError. */
export async function stopped(runs: Runs, id: string): Promise<void> {
  const found = await runs.find(id);
  if (!found) throw new ProblemError(gone);
  const { removedAt: _, ...header } = found;
  const { step, total } = header;
  const state = step < total ? 'stopped' : 'finished';
  await runs.note({ ...written(header), state, finished: true, problem: null });
}

const notThere = (step: number): Problem => ({
  code: 'no-run',
  message: `What this run was after ${step} steps is not saved here any more.`,
  safe: 'The run itself stays as it is.',
  cure: 'Choose another step.',
});

/** A new, paused run under that id from what a run was after so many steps. Throws ProblemError or StoreError. */
export async function branched(runs: Runs, id: string, step: number, newId: string): Promise<RunSummary> {
  const run = await runs.find(id);
  if (!run) throw new ProblemError(gone);
  const stored = await runs.loadAt(id, step);
  if (!stored) throw new ProblemError(notThere(step));
  const now = Date.now();
  const header: WrittenHeader = {
    ...written(stored.header),
    ...{ id: newId, state: 'paused', finished: false, problem: null },
    ...{ savedAt: now, startedAt: now },
  };
  const bytes = await runs.staging.put(header, stored.content);
  await runs.staging.adopt([{ header, name: `${run.name}, from step ${step}`.slice(0, 200), bytes }]);
  const made = await runs.find(newId);
  if (!made) throw new ProblemError(gone);
  const { removedAt: _, ...summary } = made;
  return summary;
}

export const noFactor: Problem = {
  code: 'bad-job',
  message: `A learning rate can be multiplied by ${FACTORS.least} to ${FACTORS.most}.`,
  cure: 'Type a number in between.',
};

/** The run's learning rate is the schedule's times that, once it goes on. Throws ProblemError or StoreError. */
export async function rateChanged(runs: Runs, id: string, factor: number): Promise<RateChange> {
  const found = await runs.find(id);
  if (!found || found.finished) throw new ProblemError(gone);
  const { removedAt: _, ...header } = found;
  const change = { step: header.step, factor };
  await runs.note({ ...written(header), rates: withChange(header.rates, change) });
  return change;
}
