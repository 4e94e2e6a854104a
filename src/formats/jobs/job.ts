/** @file A job as TOML text or as a plain table (for links), checked key by key. */
import * as v from 'valibot';
import { usualRate } from '#src/oft/plan/rates.ts';
import type { Plan } from '#src/oft/types.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import { roundings } from '#src/ops/integers/types.ts';
import { taskInfo, taskInfos } from '#src/tasks/infos.ts';
import { JobError } from '../errors.ts';
import type { Job } from './jobTypes.ts';
import { defaultPlan, planFromTable, planSchema, planToTable } from '../plans/plan.ts';
import { camelKeys, checked, flag, oneOf, real, snakeKeys, table, text, value, whole } from '../schema.ts';
import { fromToml } from '../files/toml.ts';

/** The built-in demo: the emoji model learns to print in two inks. All names among the prompts are held out of training. */
export const defaultJob: Job = {
  version: 1,
  task: 'diffusion',
  options: taskInfo('diffusion')!.defaults,
  model: 'builtin:emoji',
  data: {
    train: 'builtin:riso/train',
    heldout: 'builtin:riso/heldout',
    split: 0,
    captionDropout: 0.1,
    flip: false,
  },
  train: {
    steps: 120,
    batch: 4,
    accumulate: 1,
    seed: 0,
    learningRate: 5e-3,
    schedule: 'cosine',
    warmup: 20,
    finalShare: 0.1,
    clip: 1,
    weightDecay: 0,
    betas: [0.9, 0.99],
    eps: 1e-8,
    minSnr: 0,
    blockwiseRate: false,
    recompute: false,
    quantise: 'no',
    checkpointSteps: 25,
    checkpointSeconds: 30,
  },
  plan: defaultPlan,
  sample: {
    prompts: ['ghost', 'wolf', 'unicorn', 'alien', 'doughnut', 'octopus', 'skull', 'telephone'],
    negative: '',
    // Under the built-in model's trailing timesteps these are as clean as twenty.
    steps: 8,
    guidance: 1,
    seed: 7,
    every: 20,
    share: 0.25,
  },
};

/** As a job's training data: none were chosen yet. */
export const NO_DATA = '';

/** What a learning rate follows from. */
interface RatedJob extends Pick<Job, 'task' | 'plan'> {
  readonly train: Pick<Job['train'], 'blockwiseRate'>;
}

type Table = Readonly<Record<string, unknown>>;

const isTable = (x: unknown): x is Table => typeof x === 'object' && x !== null && !Array.isArray(x);

/** As a file or the command line has it. */
export type InputWish = number | boolean | readonly (number | boolean)[];

const isOne = (x: unknown): boolean =>
  typeof x === 'boolean' || (typeof x === 'number' && Number.isFinite(x));
const isInputWish = (x: unknown): x is InputWish =>
  isOne(x) || (Array.isArray(x) && x.length > 0 && x.length <= 4096 && x.every(isOne));

const share = real('a number from 0 to 1', (x) => x >= 0 && x <= 1);
const notNegative = real('0 or a positive number', (x) => x >= 0);
const isPath = (x: unknown): boolean => typeof x === 'string' && x.trim() !== '' && x.length <= 4096;
const path = { type: 'string', pattern: String.raw`\S`, maxLength: 4096 };
const source = value<string>('a folder, or a built-in one such as "builtin:emoji"', isPath, path);

/** The keys of a job, as they stand in a file. */
export const jobSchema = table({
  version: v.optional(value<1>('1', (x) => x === 1, { const: 1 })),
  task: v.optional(oneOf(taskInfos.map((info) => info.id))),
  options: v.optional(value<Table>('a table', isTable, { type: 'object' })),
  model: v.optional(source),
  adapter: v.optional(value<string>('an adapter file or folder', isPath, path)),
  inputs: v.optional(
    value<Readonly<Record<string, InputWish>>>(
      'a table of numbers, true or false, or lists of them, by input name',
      (x) => isTable(x) && Object.keys(x).length <= 64 && Object.values(x).every(isInputWish),
      {
        type: 'object',
        additionalProperties: {
          anyOf: [{ type: ['number', 'boolean'] }, { type: 'array', items: { type: ['number', 'boolean'] } }],
        },
      },
    ),
  ),
  rounding: v.optional(oneOf(roundings)),
  data: v.optional(
    table({
      train: v.optional(text(4096)),
      heldout: v.optional(text(4096)),
      split: v.optional(real('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
      caption_dropout: v.optional(share),
      flip: v.optional(flag),
    }),
  ),
  train: v.optional(
    table({
      steps: v.optional(whole(1, 1_000_000)),
      batch: v.optional(whole(1, 256)),
      accumulate: v.optional(whole(1, 1024)),
      seed: v.optional(whole(0, 2 ** 32 - 1)),
      learning_rate: v.optional(real('a positive number up to 1', (x) => x > 0 && x <= 1)),
      schedule: v.optional(oneOf(['constant', 'linear', 'cosine'])),
      warmup: v.optional(whole(0, 1_000_000)),
      final_share: v.optional(share),
      clip: v.optional(notNegative),
      weight_decay: v.optional(share),
      betas: v.optional(
        value<[number, number]>(
          'two numbers from 0 to below 1, such as [0.9, 0.99]',
          (x) =>
            Array.isArray(x) && x.length === 2 && x.every((b) => typeof b === 'number' && b >= 0 && b < 1),
          {
            type: 'array',
            items: { type: 'number', minimum: 0, exclusiveMaximum: 1 },
            minItems: 2,
            maxItems: 2,
          },
        ),
      ),
      eps: v.optional(real('a positive number up to 1', (x) => x > 0 && x <= 1)),
      min_snr: v.optional(notNegative),
      blockwise_rate: v.optional(flag),
      recompute: v.optional(flag),
      quantise: v.optional(oneOf(['no', 'int8', 'int4'])),
      checkpoint_steps: v.optional(whole(1, 1_000_000)),
      checkpoint_seconds: v.optional(real('a number from 1 to 86400', (x) => x >= 1 && x <= 86_400)),
    }),
  ),
  plan: v.optional(planSchema),
  sample: v.optional(
    table({
      prompts: v.optional(
        value<string[]>(
          'a list of at most 64 texts of at most 1000 characters',
          (x) =>
            Array.isArray(x) && x.length <= 64 && x.every((p) => typeof p === 'string' && p.length <= 1000),
          { type: 'array', items: { type: 'string', maxLength: 1000 }, maxItems: 64 },
        ),
      ),
      negative: v.optional(text(1000)),
      steps: v.optional(whole(1, 1000)),
      guidance: v.optional(real('a number from 0 to 50', (x) => x >= 0 && x <= 50)),
      seed: v.optional(whole(0, 2 ** 32 - 1)),
      every: v.optional(whole(0, 1_000_000)),
      share: v.optional(real('a positive number up to 1', (x) => x > 0 && x <= 1)),
    }),
  ),
});

/** Sections of a job's table by key; the plan is not among them: it has its own defaults. */
const sections = ['options', 'data', 'train', 'sample'] as const;

/** What the job names of a section's key; undefined: nothing. */
const named = (input: Table, section: string, key: string): unknown =>
  isTable(input[section]) ? input[section][key] : undefined;

/** The built-in example that a job's training data belong to; else the task's first. */
const exampleOf = (input: Table, { examples }: TaskInfo): Example | undefined =>
  examples.find(({ job }) => named(job, 'data', 'train') === named(input, 'data', 'train')) ?? examples[0];

/** Whether a job is about another model, or other data, than a built-in example: its settings then say nothing. */
function ownOf(
  input: Table,
  { model, data }: Pick<Job, 'model' | 'data'>,
): { model: boolean; train: boolean } {
  const [own, train] = [input['model'] ?? model, named(input, 'data', 'train') ?? data.train];
  return { model: own !== model, train: train !== data.train };
}

/**
 * The table with an example of the task beneath: all of it with the example's model and data; with the example's model on other data what was
 * measured on that model (not what fits those data: mirroring, prompts, held-out data); with another model nothing.
 */
function withExample(input: Table, info: TaskInfo): Table {
  const example = exampleOf(input, info)?.job;
  if (!example) return input;
  const { model, data, plan, ...rest } = example;
  const own = ownOf(input, { model, data } as unknown as Job);
  if (own.model) return input;
  const { prompts, ...sample } = (example.sample ?? {}) as Table;
  const base: Record<string, unknown> = {
    ...rest,
    model,
    ...(plan !== undefined && { plan }),
    data: own.train ? {} : data,
    sample: own.train || prompts === undefined ? sample : { ...sample, prompts },
  };
  const out: Record<string, unknown> = { ...base, ...input };
  for (const key of sections)
    if (isTable(base[key])) out[key] = { ...base[key], ...(isTable(input[key]) ? input[key] : {}) };
  return out;
}

/** The learning rate of a job for any model that says none: by its task and the kind of its adapter. */
export function usualRateOf({ task, plan, train }: RatedJob): number {
  const { rate = 1 } = taskInfo(task)?.usual ?? {};
  return Number((rate * usualRate(plan, train.blockwiseRate)).toPrecision(2));
}

/** A job for a model of one's own where it says nothing: what the task's info.ts calls usual, and a rate by the adapter. */
function usualJob({ id, usual }: TaskInfo, plan: Plan, blockwiseRate: boolean): Job {
  const { data, train, sample } = defaultJob;
  const learningRate = usualRateOf({ task: id, plan, train: { blockwiseRate } });
  return {
    ...defaultJob,
    data: { ...data, train: NO_DATA, heldout: null, split: 0.1 },
    train: { ...train, learningRate, ...usual.train },
    sample: { ...sample, prompts: [], ...usual.sample },
    plan,
  };
}

/**
 * A job from its table (keys as in files). What is left out comes from the task: from a built-in example where the job is about the example's
 * model, else from what is usual for any model; options of the task say themselves what they mean where the model's files decide. Own
 * training data bring no held-out ones with them, and the default warm-up is at most a sixth of the steps.
 *
 * @throws JobError that names the key, its value and what is allowed; for unknown keys the nearest known one.
 */
export function jobFromTable(input: unknown): Job {
  const { task = defaultJob.task } = checked(jobSchema, input, '');
  const info = taskInfo(task);
  if (!info)
    throw new JobError(
      `task: there is no task "${task}"; allowed: ${taskInfos.map(({ id }) => id).join(', ')}.`,
      'task',
    );
  const {
    plan: planned,
    options,
    inputs,
    rounding,
    ...rest
  } = checked(jobSchema, withExample(input as Table, info), '');
  const own = checked(table(info.entries), options ?? {}, 'options') as Table;
  const { data, train, sample, ...top } = camelKeys(rest);
  const plan = planned ? planFromTable(planned, 'plan') : defaultPlan;
  const demo = task === defaultJob.task && !ownOf(input as Table, defaultJob).model;
  const base = demo ? defaultJob : usualJob(info, plan, train?.blockwiseRate ?? false);
  const heldout = data?.heldout ?? (data?.train === undefined ? base.data.heldout : null);
  const steps = train?.steps ?? base.train.steps;
  return {
    ...base,
    ...top,
    options: { ...info.defaults, ...camelKeys(own) },
    ...(inputs && Object.keys(inputs).length > 0 && { inputs: asNumbers(inputs) }),
    ...(rounding === 'keep' && { rounding }),
    data: { ...base.data, ...data, heldout: heldout === '' ? null : heldout },
    train: {
      ...base.train,
      warmup: Math.min(base.train.warmup, Math.floor(steps / 6)),
      ...train,
    },
    plan,
    sample: { ...base.sample, ...sample },
  };
}

/** true and false as 1 and 0. */
const asNumbers = (inputs: Readonly<Record<string, InputWish>>): NonNullable<Job['inputs']> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [name, Array.isArray(x) ? x.map(Number) : Number(x)]),
  );
/** What a job would be that says nothing but its task, model and data; with a plan (it may be a contradictory one), the rate that goes with it. */
function bareJob({ task, model, data }: Job, plan?: Plan): Job {
  const made = jobFromTable({ task, model, data: { train: data.train } });
  if (!plan || made.train.learningRate !== usualRateOf(made)) return made;
  return { ...made, train: { ...made.train, learningRate: usualRateOf({ ...made, plan }) } };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** `now` where `own` is what was left at `before`, key by key. */
const moved = <T extends object>(own: T, before: T, now: T): T =>
  Object.fromEntries(
    Object.entries(own).map(([key, x]) => {
      const k = key as keyof T;
      return [key, same(x, before[k]) ? now[k] : x];
    }),
  ) as T;

/**
 * A job whose model, data or plan were changed by hand: what stood at the default of `before` goes to the default of what it is now (the
 * learning rate with the adapter, the example's settings when its model goes). What was chosen stays.
 */
export function rebased(job: Job, before: Job): Job {
  const other = job.model !== before.model;
  const plan = other && same(job.plan, bareJob(before).plan) ? bareJob(job).plan : job.plan;
  const [old, now] = [bareJob(before, before.plan), bareJob(job, plan)];
  const { heldout, split, train, ...data } = job.data;
  return {
    ...job,
    plan,
    options: moved(job.options, old.options, now.options),
    data: { heldout, split, train, ...moved(data, old.data, now.data) },
    train: moved(job.train, old.train, now.train),
    sample: moved(job.sample, old.sample, now.sample),
  };
}

/** A complete table of a job: nothing is left to defaults. No held-out images are written as "". */
export const jobToTable = ({ plan, data, inputs, ...rest }: Job): object => ({
  ...snakeKeys(rest),
  ...(inputs && { inputs }),
  data: snakeKeys({ ...data, heldout: data.heldout ?? '' }),
  plan: planToTable(plan),
});

/** Reads a job file. Throws JobError. */
export const parseJob = (toml: string): Job => fromToml(toml, jobFromTable);
