/** @file Whether a job is one, and whether a saved run can go on with it. */
import { JobError } from '#src/formats/errors.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind } from '#src/runtime/types.ts';
import { DataError } from '#src/tasks/files.ts';
import { matchCheckpoint } from '#src/training/checkpoint.ts';
import type { Problem, RunEvent } from '../../protocol.ts';
import { ProblemError } from '../problems.ts';
import { checkpointed, parseStoredJob, type Runs, type Saved } from '../saved.ts';
import type { Setup } from '../prepare/types.ts';

/** Nothing of the run is left, or nothing was ever saved of it. */
export const gone: Problem = {
  code: 'no-run',
  message: 'This run is not saved here any more.',
  cure: 'Start it anew.',
};

const asItBegan = 'Go on with the settings and files it was started with, or start a new run.';

/** The job, checked as job files are. Throws JobError, or ProblemError for what is no job at all. */
export function checkedJob(job: Job): Job {
  try {
    return parseStoredJob(job);
  } catch (error) {
    if (error instanceof JobError) throw error;
    throw new ProblemError({
      code: 'bad-job',
      message: 'This is not a job that Rotune knows.',
      cure: 'Reload the page: the job may be of a newer Rotune.',
    });
  }
}

/** The newest checkpoint of a run that can be read; tells if it is not the newest there is. Throws ProblemError or StoreError. */
export async function readSaved(runs: Runs, id: string, emit: (event: RunEvent) => void): Promise<Saved> {
  const stored = await runs.load(id);
  if (!stored) throw new ProblemError(gone);
  if (stored.fellBack)
    emit({
      kind: 'warning',
      problem: {
        code: 'storage',
        message: `The newest checkpoint is damaged, so the run goes on from the one before it, after step ${stored.header.step}.`,
      },
    });
  return stored.content;
}

/** Refuses a checkpoint of another run by a ProblemError that names what differs; tells if another backend goes on with it. */
export function matchSaved(
  saved: Saved,
  setup: Setup,
  backend: BackendKind,
  emit: (event: RunEvent) => void,
): void {
  const { checkpoint, rounds, dataHash, adapter } = saved;
  const state = setup.program(rounds).state.filter(({ name }) => checkpointed(name));
  try {
    const { exact } = matchCheckpoint(checkpoint, {
      job: setup.job,
      modelHash: setup.model.hash,
      backend,
      state: Object.fromEntries(state.map(({ name, init }) => [name, init.length])),
    });
    if (adapter?.hash !== setup.adapter?.hash)
      throw new DataError(
        adapter
          ? `The run began from another adapter file, ${adapter.name}.`
          : 'The run began from the untouched model, not from an adapter file.',
        { cure: asItBegan },
      );
    if (dataHash !== setup.prepared.dataHash)
      throw new DataError('The run began with other training data.', { cure: asItBegan });
    if (exact) return;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new ProblemError({
      code: 'model-changed',
      message: error.message,
      safe: 'The saved run is still there.',
      cure: error.cure ?? asItBegan,
    });
  }
  emit({
    kind: 'warning',
    problem: {
      code: 'model-changed',
      message: `This run began on ${checkpoint.backend} and goes on on ${backend}: its numbers may differ in the last digits from an uninterrupted run.`,
    },
  });
}
