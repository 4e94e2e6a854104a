/** @file What a checkpoint holds, how it is checked when read back, and whether it fits the run that wants it. */
import { quoted } from '#src/platform/quoted.ts';
import { fieldWords } from '#src/tasks/fields.ts';
import { type RateChange, ratesSchema } from '#src/optim/rates.ts';
import { reasonOf } from '#src/platform/refusals.ts';
import * as v from 'valibot';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { DataError } from '#src/tasks/files.ts';
import type { LoopState } from './loop.ts';
import { type StepColumns, StepLog } from './steps.ts';
import type { Evaluation, MeansFrom, StepRecord } from './types.ts';

/** Raised when the meaning of a field changes; older checkpoints are then refused. */
export const CHECKPOINT_VERSION = 1;

/** Plain data that structured cloning keeps bit for bit. */
export interface Checkpoint extends LoopState {
  readonly version: typeof CHECKPOINT_VERSION;
  readonly job: Job;
  /** SHA-256 of the model's files, hex. */
  readonly modelHash: string;
  readonly seed: number;
  /** Name of the backend that computed it last. */
  readonly backend: string;
  /** Of WebAssembly; absent: older versions did not write it down. */
  readonly threads?: number | undefined;
  /** All that computed it, by step; absent in checkpoints of older versions. */
  readonly means?: readonly MeansFrom[] | undefined;
  readonly evaluations: readonly Evaluation[];
  /** By step; absent: the learning rate was never changed. */
  readonly rates?: readonly RateChange[] | undefined;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Losses of skipped steps may be NaN or infinite. */
const anyNumber = v.custom<number>((x) => typeof x === 'number', 'must be a number');
const vector = v.pipe(
  v.instance(Float32Array),
  v.check((x) => x.every(Number.isFinite), 'holds a number that is not finite'),
);

const recordSchema = v.object({
  step: count,
  loss: anyNumber,
  learningRate: anyNumber,
  gradNorm: anyNumber,
  ms: anyNumber,
  skipped: v.optional(v.boolean()),
  residual: v.optional(anyNumber),
}) satisfies v.GenericSchema<unknown, StepRecord>;

const column = v.instance(Float64Array);

/** Older versions wrote a list of records. */
const historySchema = v.lazy((stored) =>
  Array.isArray(stored)
    ? v.pipe(
        v.array(recordSchema),
        v.transform((records): StepColumns => StepLog.of(records).columns()),
      )
    : v.pipe(
        v.object({
          step: column,
          ...{ loss: column, learningRate: column, gradNorm: column, ms: column, residual: column },
          flags: v.pipe(
            column,
            v.check(
              (flags) => flags.every((x) => Number.isInteger(x) && x >= 0 && x < 4),
              'holds another flag',
            ),
          ),
        }),
        v.check(
          (columns) => Object.values(columns).every(({ length }) => length === columns.step.length),
          'has columns of different lengths',
        ),
      ),
) satisfies v.GenericSchema<unknown, StepColumns>;

const evaluationSchema = v.object({
  step: count,
  heldoutLoss: v.nullable(anyNumber),
  saturation: v.nullable(anyNumber),
  metrics: v.optional(
    v.array(
      v.object({
        name: v.string(),
        value: anyNumber,
        unit: v.picklist(['share', 'number']),
        better: v.picklist(['higher', 'lower', 'neither']),
      }),
    ),
  ),
  tables: v.optional(
    v.array(
      v.object({ title: v.string(), columns: v.array(v.string()), rows: v.array(v.array(v.string())) }),
    ),
  ),
  examples: v.optional(
    v.array(v.object({ name: v.string(), is: v.string(), says: v.string(), share: anyNumber })),
  ),
  orthogonality: v.optional(v.object({ exact: v.nullable(anyNumber), series: v.nullable(anyNumber) })),
}) satisfies v.GenericSchema<unknown, Evaluation>;

const nullable = v.nullable(v.pipe(v.string(), v.maxLength(200)));
const threads = v.pipe(v.number(), v.integer(), v.minValue(1));

const meansSchema = v.pipe(
  v.array(
    v.object({
      step: count,
      backend: v.string(),
      adapter: nullable,
      threads: v.nullable(threads),
      recompute: v.boolean(),
      runtime: nullable,
      rotune: nullable,
    }) satisfies v.GenericSchema<unknown, MeansFrom>,
  ),
  v.minLength(1),
  v.check((all) => all.every(({ step }, i) => i === 0 || step > all[i - 1]!.step), 'is not in order'),
);

const checkpointSchema = v.object({
  version: v.literal(CHECKPOINT_VERSION),
  job: v.unknown(),
  modelHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')),
  seed: count,
  backend: v.string(),
  threads: v.optional(threads),
  means: v.optional(meansSchema),
  step: count,
  state: v.record(v.string(), vector),
  history: historySchema,
  evaluations: v.array(evaluationSchema),
  rates: v.optional(ratesSchema),
});

const discard = 'Discard the run, and start it again.';

/**
 * A checkpoint from what storage gave. It is not trusted: everything is checked.
 * @param parseJob checks the job; throws if it is none
 * @throws DataError that names the first bad field
 */
export function parseCheckpoint(stored: unknown, parseJob: (json: unknown) => Job): Checkpoint {
  const result = v.safeParse(checkpointSchema, stored);
  if (!result.success) {
    const issue = result.issues[0];
    throw new DataError(
      `The checkpoint is damaged or of another version: ${fieldWords(issue, 'the record')}.`,
      { cure: discard },
    );
  }
  const { step, history } = result.output;
  const fits = (each: number, i: number): boolean =>
    Number.isInteger(each) && each < step && each > (history.step[i - 1] ?? -1);
  if (!history.step.every(fits))
    throw new DataError(`The checkpoint is damaged: its history does not fit its ${step} steps.`, {
      cure: discard,
    });
  let job: Job;
  try {
    job = parseJob(result.output.job);
  } catch (error) {
    const why = reasonOf(error, 'it is none');
    throw new DataError(`The checkpoint is damaged: job: ${why}.`, { cure: discard });
  }
  return { ...result.output, job };
}

/** Paths at which two plain values differ, each with both values. */
function differences(
  a: unknown,
  b: unknown,
  path: string,
): { readonly path: string; readonly was: unknown; readonly is: unknown }[] {
  if (Object.is(a, b)) return [];
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return [{ path, was: a, is: b }];
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    differences(left[key], right[key], path === '' ? key : `${path}.${key}`),
  );
}

/** Parts of a job that do not touch what is learned, but for rounding. An adapter file is known by its content, whatever its name. */
const harmless = /^(adapter$|sample\.|train\.(checkpoint(Steps|Seconds)|recompute)$)/;

const show = (x: unknown): string => (x === undefined ? 'nothing' : quoted(x, 200));

/** What a checkpoint was computed with, by step; of one of an older version what it says of that. */
export const meansOf = ({ means, backend, threads, job }: Checkpoint): readonly MeansFrom[] =>
  means ?? [
    {
      ...{ step: 0, backend, threads: threads ?? null, recompute: job.train.recompute },
      ...{ adapter: null, runtime: null, rotune: null },
    },
  ];

/** What a run is, as far as a checkpoint can tell. */
export interface RunIdentity {
  readonly job: Job;
  readonly modelHash: string;
  /** Length of each state vector. */
  readonly state: Readonly<Record<string, number>>;
}

/**
 * Makes sure that a checkpoint belongs to a run. Prompts, checkpoint intervals and what is computed twice may have changed since.
 * @throws DataError that names every field that differs
 */
export function matchCheckpoint(checkpoint: Checkpoint, run: RunIdentity): void {
  const wrong = differences(checkpoint.job, run.job, '')
    .filter(({ path }) => !harmless.test(path))
    .map(({ path, was, is }) => `${path} was ${show(was)}, now ${show(is)}`);
  if (checkpoint.modelHash !== run.modelHash)
    wrong.unshift(
      `the model is another one (SHA-256 ${checkpoint.modelHash.slice(0, 12)}…, now ${run.modelHash.slice(0, 12)}…)`,
    );
  const lengths = Object.fromEntries(Object.entries(checkpoint.state).map(([k, x]) => [k, x.length]));
  if (wrong.length === 0)
    wrong.push(
      ...differences(lengths, run.state, '').map(
        ({ path, was, is }) => `the vector ${path} had ${show(was)} numbers, now ${show(is)}`,
      ),
    );
  if (checkpoint.step > run.job.train.steps)
    wrong.push(`it has ${checkpoint.step} steps, more than the run's ${run.job.train.steps}`);
  if (wrong.length)
    throw new DataError(
      `The checkpoint belongs to another run: ${wrong.join('; ')}. Start anew, or put these back.`,
    );
}
