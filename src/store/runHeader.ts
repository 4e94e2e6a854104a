/** @file What is known of a run without reading its checkpoint: all that a list of runs shows. Records of older versions are filled up. */
import * as v from 'valibot';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { taskInfo } from '#src/tasks/infos.ts';
import type { Metric, Picture } from '#src/tasks/types.ts';
import { type RateChange, ratesSchema } from '#src/optim/rates.ts';
import type { Problem, ProblemCode } from '#workers/types.ts';

/** How a run stands. `running` in no living tab: it was cut off. */
export const LIVES = ['running', 'paused', 'stopped', 'failed', 'finished'] as const;
export type RunLife = (typeof LIVES)[number];

/** Pixels of a thumbnail's longer side at most. */
export const THUMBNAIL = 64;
/** At most so many pictures, or texts of so many characters, and points of the loss. */
export const [PICTURES, TEXTS, CHARACTERS, POINTS] = [4, 2, 120, 64];

/** What a run is judged by. */
export interface RunMeasure extends Metric {
  /** At the first judging; null: there was but one. */
  readonly first: number | null;
}

/** The part that every version wrote. */
interface Basis {
  readonly id: string;
  readonly job: Job;
  /** Of the newest checkpoint; 0: there is none yet. */
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  /** It came to its end, or was stopped: nothing is left to go on with. */
  readonly finished: boolean;
  readonly modelName: string;
  readonly dataName: string;
  /** false: the user's own files must be picked again to go on. */
  readonly selfContained: boolean;
}

interface Details {
  readonly state: RunLife;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Steps of the whole run. */
  readonly total: number;
  /** Of the newest row of samples, no side above {@link THUMBNAIL}. */
  readonly pictures: readonly Picture[];
  readonly texts: readonly string[];
  /** The task's own measure on held-out data, or their loss; null: it was not judged. */
  readonly measure: RunMeasure | null;
  /** The loss on held-out data, at first and last. */
  readonly heldout: { readonly first: number; readonly last: number } | null;
  /** Why it failed. */
  readonly problem: Problem | null;
  /** The loss from the first step to the last, smoothed. */
  readonly losses: readonly number[];
  /** Changes of the learning rate on the way, by step: those that came after the newest checkpoint, too. */
  readonly rates: readonly RateChange[];
}

export interface RunHeader extends Basis, Details {
  /** The user's own, or made of task and data. */
  readonly name: string;
  /** Of the newest checkpoint; 0: there is none. */
  readonly bytes: number;
  /** How many are kept; 0: there is nothing to open or to go on with. */
  readonly checkpoints: number;
}

/** What is written of a run. What is left out is filled as for an older version's record. */
export type WrittenHeader = Basis & Partial<Details>;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());
const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(THUMBNAIL));

const pictureSchema = v.pipe(
  v.object({
    width: side,
    height: side,
    rgba: v.custom<Picture['rgba']>((x) => x instanceof Uint8ClampedArray),
  }),
  v.check(({ width, height, rgba }) => rgba.length === 4 * width * height),
);

/** What went wrong, as stored. */
export const problemSchema = v.object({
  code: v.custom<ProblemCode>((x) => typeof x === 'string'),
  message: v.string(),
  item: v.optional(v.string()),
  safe: v.optional(v.string()),
  cure: v.optional(v.string()),
  detail: v.optional(v.string()),
});

/** Damaged or not there: the run is worth more than what is shown of it. */
const soft = <S extends v.GenericSchema>(schema: S) => v.optional(v.fallback(v.optional(schema), undefined));

export const headerSchema = v.object({
  id: v.string(),
  job: v.unknown(),
  step: count,
  savedAt: v.number(),
  finished: v.boolean(),
  modelName: v.string(),
  dataName: v.string(),
  selfContained: v.boolean(),
  bytes: v.number(),
  state: soft(v.picklist(LIVES)),
  startedAt: soft(finite),
  total: soft(count),
  pictures: soft(v.pipe(v.array(pictureSchema), v.maxLength(PICTURES))),
  texts: soft(v.pipe(v.array(v.pipe(v.string(), v.maxLength(CHARACTERS))), v.maxLength(TEXTS))),
  measure: soft(
    v.nullable(
      v.object({
        name: v.string(),
        value: finite,
        unit: v.picklist(['share', 'number']),
        better: v.picklist(['higher', 'lower', 'neither']),
        first: v.nullable(finite),
      }),
    ),
  ),
  heldout: soft(v.nullable(v.object({ first: finite, last: finite }))),
  problem: soft(v.nullable(problemSchema)),
  losses: soft(v.pipe(v.array(finite), v.maxLength(POINTS))),
  rates: soft(ratesSchema),
});

/** What the schema gives: the job is not checked yet. */
export type StoredHeader = Omit<Basis, 'job'> &
  Partial<Details> & { readonly job: unknown; readonly bytes: number };

/** "Draw in a style: high-contrast". */
export function defaultName({ job, dataName }: Pick<RunHeader, 'job' | 'dataName'>): string {
  const task = taskInfo(job.task)?.title ?? job.task;
  const data = dataName.replace(/\/train$/, '');
  return data === '' ? task : `${task}: ${data}`;
}

/** Nothing is left to go on with. */
const isOver = (state: RunLife): boolean => state === 'finished' || state === 'stopped';

/** How a run of an older version stands. */
function lifeOf(finished: boolean, step: number, total: number): RunLife {
  if (!finished) return 'paused';
  return step < total ? 'stopped' : 'finished';
}

/**
 * A whole header of a stored one.
 * @param job the stored one, checked
 * @param record what its run's record says beside: the user's own name, how many checkpoints there are
 */
export function filledHeader(
  stored: Omit<StoredHeader, 'job'>,
  job: Job,
  record: { readonly name?: string | undefined; readonly checkpoints: number },
): RunHeader {
  const { finished, step, savedAt, dataName } = stored;
  const total = stored.total ?? job.train.steps;
  const state = stored.state ?? lifeOf(finished, step, total);
  return {
    id: stored.id,
    job,
    step,
    savedAt,
    finished: isOver(state),
    modelName: stored.modelName,
    dataName,
    selfContained: stored.selfContained,
    bytes: stored.bytes,
    name: record.name ?? defaultName({ job, dataName }),
    state,
    startedAt: stored.startedAt ?? savedAt,
    total,
    pictures: stored.pictures ?? [],
    texts: stored.texts ?? [],
    measure: stored.measure ?? null,
    heldout: stored.heldout ?? null,
    problem: stored.problem ?? null,
    losses: stored.losses ?? [],
    rates: stored.rates ?? [],
    checkpoints: record.checkpoints,
  };
}
