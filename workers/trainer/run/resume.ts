/** @file Whether a job is one, and whether a saved run can go on with it. */
import { JobError } from '#src/formats/errors.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { isInverse } from '#src/oft/rotation/inverses.ts';
import type { BackendReport } from '#src/runtime/types.ts';
import { DataError } from '#src/tasks/files.ts';
import { matchCheckpoint, meansOf } from '#src/training/checkpoint.ts';
import { differences } from '#src/training/means.ts';
import type { Difference, Means } from '#src/training/types.ts';
import type { Versions } from '../environment.ts';
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

/** Rounds that a run begins with, or goes on with, and the residual that was not looked into yet. */
export function inversion(saved: Saved | null, setup: Setup): Pick<Saved, 'rounds' | 'residual'> {
  // Older versions wrote down no inverses: what they say is of such as begin anew.
  const known = saved && Object.keys(saved.checkpoint.state).some(isInverse);
  return known ? saved : { rounds: setup.rounds, residual: 0 };
}

/** Refuses a checkpoint of another run by a ProblemError that names what differs; tells if what goes on with it rounds otherwise. */
export function matchSaved(saved: Saved, setup: Setup, means: Means, emit: (event: RunEvent) => void): void {
  const { checkpoint, dataHash, adapter } = saved;
  const state = setup
    .program(inversion(saved, setup).rounds)
    .state.filter(({ name }) => checkpointed(name) && (!isInverse(name) || name in checkpoint.state));
  try {
    matchCheckpoint(checkpoint, {
      job: setup.job,
      modelHash: setup.model.hash,
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
  for (const difference of differences(meansOf(checkpoint).at(-1)!, means))
    emit({
      kind: 'warning',
      problem: {
        code: 'model-changed',
        message: `This run ${otherwise[difference.what](difference)}: its numbers may differ in the last digits from an uninterrupted run.`,
      },
    });
}

/** What computes on that device. */
export const meansNow = (
  { kind, adapter, threads }: Pick<BackendReport, 'kind' | 'adapter' | 'threads'>,
  { train }: Job,
  versions: Versions | undefined,
): Means => ({
  ...{ backend: kind, adapter, threads, recompute: train.recompute },
  runtime: versions?.runtime ?? null,
  rotune: versions?.rotune ?? null,
});

const threadsInWords = (threads: string): string => (threads === '1' ? 'one thread' : `${threads} threads`);

/** What was otherwise so far. */
const otherwise: Readonly<Record<Difference['what'], (difference: Difference) => string>> = {
  backend: ({ was, is }) => `began on ${was} and goes on on ${is}`,
  adapter: ({ was, is }) => `was computed on ${was} so far, and is on ${is} from here on`,
  threads: ({ was, is }) =>
    `was computed by ${threadsInWords(was)} so far, and is by ${threadsInWords(is)} from here on`,
  recompute: ({ was }) =>
    was === 'yes'
      ? 'computed parts of the model twice, and keeps their results from here on'
      : 'kept all results, and computes parts of the model twice from here on',
  runtime: ({ was, is }) => `was computed by onnxruntime-web ${was} so far, and is by ${is} from here on`,
  rotune: ({ was, is }) => `was trained by Rotune ${was} so far, and is by ${is} from here on`,
};
