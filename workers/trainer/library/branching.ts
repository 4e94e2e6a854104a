/** @file A saved run turned into one that is over, and an earlier checkpoint turned into a run of its own. */
import type { RunHeader, WrittenHeader } from '#src/store/runHeader.ts';
import type { Problem, RunSummary } from '../../protocol.ts';
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
  const bytes = await runs.stage(header, stored.content);
  await runs.adopt([{ header, name: `${run.name}, from step ${step}`.slice(0, 200), bytes }]);
  const made = await runs.find(newId);
  if (!made) throw new ProblemError(gone);
  const { removedAt: _, ...summary } = made;
  return summary;
}
