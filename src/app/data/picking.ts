/** @file What a pick changes in the job: the names of what was picked, and what data of one's own are judged by. */
import { jobFromTable, NO_DATA, rebased } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Source } from '#workers/protocol.ts';
import type { Picked } from '../worker/request.ts';

/** So much of one's own data is held out where no data to judge by are given. */
export const SPLIT = 0.1;

const nameOf = (source: Source): string => (source.kind === 'files' ? source.name : `builtin:${source.id}`);

const isBuiltin = (name: string | null): boolean => name?.startsWith('builtin:') ?? false;

/** No data yet: those that come are judged by a share of themselves. */
const noData = (data: Job['data']): Job['data'] => ({
  ...data,
  train: NO_DATA,
  heldout: null,
  split: data.split || SPLIT,
});

/**
 * The job with `files` picked, `picked` being all that stands in for what it names. Built-in held-out data say nothing about other data: a
 * share is held out in their place. An example's settings and data say nothing about other models: in place of its model one's own has no
 * data yet. A model that the job names itself is another matter: its data were chosen with it.
 */
export function jobWith(job: Job, files: Partial<Picked>, picked: Picked): Job {
  const { model, train, heldout, adapter } = files;
  let { data } = job;
  if (model?.kind === 'files' && isBuiltin(job.model) && isBuiltin(data.train)) data = noData(data);
  if (train) data = { ...data, train: nameOf(train) };
  if (heldout) data = { ...data, heldout: nameOf(heldout) };
  else if (picked.train?.kind === 'files' && !picked.heldout && isBuiltin(data.heldout))
    data = { ...data, heldout: null, split: data.split || SPLIT };
  const { adapter: before, ...rest } = job;
  const start = adapter === undefined ? before : adapter === null ? undefined : nameOf(adapter);
  const next = {
    ...rest,
    ...(start !== undefined && { adapter: start }),
    model: model ? nameOf(model) : job.model,
    data,
  };
  return model || train ? rebased(next, job) : next;
}

/** The job judged by a share of its own data, and by no others. */
export const judgedByShare = (job: Job): Job => ({
  ...job,
  data: { ...job.data, heldout: null, split: job.data.split || SPLIT },
});

/** A task's job for a model of one's own, for which no data were chosen yet: nothing in it is an example's. */
export const jobWithoutData = (task: string, model: Source): Job =>
  jobFromTable({ task, model: nameOf(model), data: { train: NO_DATA } });

/** An example's job with its model, and no data chosen yet: those that come are judged by a share of themselves. */
export const emptied = (example: Job): Job => ({
  ...example,
  data: noData(example.data),
});

/**
 * The same data for another task's job: its own where they were picked, else none yet for a model of one's own, which an example's data say
 * nothing about, else those of the task's example.
 */
export function withPicked(example: Job, job: Job, { model, train, heldout }: Picked): Job {
  const base = model && !train ? jobWithoutData(example.task, model).data : example.data;
  const next = {
    ...example,
    ...(job.adapter !== undefined && { adapter: job.adapter }),
    model: model ? job.model : example.model,
    data: {
      ...base,
      train: train ? job.data.train : base.train,
      heldout: train ? (heldout ? job.data.heldout : null) : base.heldout,
      split: train && !heldout ? base.split || SPLIT : base.split,
    },
  };
  const suited = rebased(next, example);
  return rebased({ ...suited, plan: job.plan }, suited);
}
