/** @file From a job and what the user picked for it to the question that the worker gets. */
import { NO_DATA } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind } from '#src/runtime/types.ts';
import type { TaskInfo } from '#src/tasks/info.ts';
import type { JobRequest, Problem, Source } from '#workers/protocol.ts';
import { noDataWords, taskOf } from '../words/taskWords.ts';

/** Files that stand in for what a job names by a folder. */
export interface Picked {
  readonly model: Source | null;
  readonly train: Source | null;
  readonly heldout: Source | null;
  /** An adapter file or folder to start from. */
  readonly adapter: Source | null;
}

/** Nothing picked: all that the job names is built in. */
export const NOTHING: Picked = { model: null, train: null, heldout: null, adapter: null };

/** `builtin:emoji` → the Source on our own origin; anything else is a folder that only the user has. */
export function builtin(name: string): Source | null {
  return name.startsWith('builtin:') ? { kind: 'builtin', id: name.slice('builtin:'.length) } : null;
}

/** No data were chosen yet: that is how a job begins, and no mistake. */
export const awaitsData = (job: Job, { train }: Picked): boolean => !train && job.data.train === NO_DATA;

const noData = (task: TaskInfo): Problem => ({ code: 'bad-data', message: noDataWords(task) });

/** The request, or which folder must be picked first. */
export function requestOf(job: Job, picked: Picked, backend: BackendKind | 'auto'): JobRequest | Problem {
  const missing = (what: string, name: string): Problem => ({
    code: 'bad-data',
    message: `The ${what} “${name}” ${what.endsWith('data') ? 'are' : 'is'} on the device where this job was made.`,
    item: name,
    cure: `Pick the ${what} again.`,
  });
  const model = picked.model ?? builtin(job.model);
  const train = picked.train ?? builtin(job.data.train);
  if (!model) return missing('model', job.model);
  if (!train) return job.data.train === NO_DATA ? noData(taskOf(job)) : missing('data', job.data.train);
  const heldout = picked.heldout ?? (job.data.heldout === null ? null : builtin(job.data.heldout));
  // Without them the run would quietly be judged by nothing.
  if (job.data.heldout !== null && !heldout) return missing('held-out data', job.data.heldout);
  return { job, model, train, heldout, adapter: picked.adapter, backend };
}
