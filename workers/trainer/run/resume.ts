/** @file Whether a job is one, and whether a saved run can go on with it. */
import { JobError } from '#src/formats/errors.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendReport } from '#src/runtime/types.ts';
import { DataError } from '#src/tasks/files.ts';
import { type Checkpoint, matchCheckpoint, type RunIdentity } from '#src/training/checkpoint.ts';
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

/** Refuses a checkpoint of another run by a ProblemError that names what differs; tells if what goes on with it rounds otherwise. */
export function matchSaved(
  saved: Saved,
  setup: Setup,
  { kind: backend, threads }: Pick<BackendReport, 'kind' | 'threads'>,
  emit: (event: RunEvent) => void,
): void {
  const { checkpoint, rounds, dataHash, adapter } = saved;
  const state = setup.program(rounds).state.filter(({ name }) => checkpointed(name));
  let rounding: ReturnType<typeof matchCheckpoint>;
  try {
    rounding = matchCheckpoint(checkpoint, {
      job: setup.job,
      modelHash: setup.model.hash,
      backend,
      threads,
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
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new ProblemError({
      code: 'model-changed',
      message: error.message,
      safe: 'The saved run is still there.',
      cure: error.cure ?? asItBegan,
    });
  }
  for (const difference of rounding)
    emit({
      kind: 'warning',
      problem: {
        code: 'model-changed',
        message: `This run ${otherwise[difference](checkpoint, { backend, threads })}: its numbers may differ in the last digits from an uninterrupted run.`,
      },
    });
}

const threadsInWords = (threads: number): string => (threads === 1 ? 'one thread' : `${threads} threads`);

/** What was otherwise when it began. */
const otherwise = {
  backend: (was: Checkpoint, { backend }: Pick<RunIdentity, 'backend'>) =>
    `began on ${was.backend} and goes on on ${backend}`,
  threads: (was: Checkpoint, { threads }: Pick<RunIdentity, 'threads'>) =>
    `was computed by ${threadsInWords(was.threads ?? 1)} so far, and is by ${threadsInWords(threads)} from here on`,
  recompute: ({ job }: Checkpoint) =>
    job.train.recompute
      ? 'computed parts of the model twice, and keeps their results from here on'
      : 'kept all results, and computes parts of the model twice from here on',
} as const;
