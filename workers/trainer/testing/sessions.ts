/** @file Sessions for tests in Node: the built-in model and images, a short run, no browser. */
import { readFileSync } from 'node:fs';
import { defaultJob } from '#src/formats/jobs/job.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { recordsOf } from '#src/training/steps.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { PreparedStore } from '#src/store/prepared.ts';
import { decodePngImage } from '#src/tasks/diffusion/testing/decodePng.ts';
import type { JobRequest, Outcome, RunEvent, RunResult, RunSummary } from '../../protocol.ts';
import type { Versions } from '../environment.ts';
import { openRuns, type Runs } from '../saved.ts';
import { Session } from '../session.ts';
import { graphRuntime, type TestRuntime } from './graphRuntime.ts';
import { base } from './publicFetch.ts';
import { tinyImages, tinyModel } from './tinyModel.ts';

export const steps = 4;

/** Few layers and few steps: every part of a run, none of it long. */
export const job: Job = {
  ...defaultJob,
  train: { ...defaultJob.train, steps, warmup: 0, batch: 1, checkpointSteps: 1000, checkpointSeconds: 1000 },
  plan: {
    ...defaultJob.plan,
    rules: [
      { match: { name: 'up_blocks.2*' }, rescale: true },
      { match: { name: '*' }, skip: true },
    ],
  },
  data: { ...defaultJob.data, heldout: null },
  sample: { ...defaultJob.sample, prompts: ['ghost', 'robot'], steps: 2, every: 2 },
};

export const request = (over: Partial<JobRequest> = {}): JobRequest => ({
  job,
  model: { kind: 'builtin', id: 'emoji' },
  train: { kind: 'builtin', id: 'high-contrast/train' },
  heldout: null,
  backend: 'wasm',
  ...over,
});

/** The same on the tiny model: a step takes a millisecond or two. All of its layers are adapted. */
export const tinyJob: Job = {
  ...job,
  model: 'tiny',
  data: { ...job.data, train: 'pictures' },
  plan: { ...defaultJob.plan, rules: [] },
};

export const tinyRequest = (over: Partial<Job> = {}, more: Partial<JobRequest> = {}): JobRequest => ({
  job: { ...tinyJob, ...over },
  model: tinyModel(),
  train: tinyImages(),
  heldout: null,
  backend: 'wasm',
  ...more,
});

/** What the sessions of one test share. */
export class Lab {
  /** Runtimes made so far. */
  readonly runtimes: TestRuntime[] = [];
  /** Called with each new runtime. */
  onCreate: ((runtime: TestRuntime) => void) | null = null;
  /** Where prepared data are kept. */
  prepared?: PreparedStore;
  versions?: Versions;

  /** @param database tests with the same one see one another's runs */
  constructor(readonly database: string) {}

  runs(): Runs {
    return openRuns(this.database);
  }

  /** A fresh worker over the same storage: what a reloaded page gets. */
  newSession(): Session {
    return new Session({
      base,
      decodeImage: decodePngImage,
      runs: this.runs(),
      prepared: this.prepared,
      versions: this.versions,
      createRuntime: () => {
        const runtime = graphRuntime();
        this.onCreate?.(runtime);
        this.runtimes.push(runtime);
        return Promise.resolve(runtime);
      },
    });
  }
}

export function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok)
    throw new Error(`${outcome.problem.code}: ${outcome.problem.message} ${outcome.problem.detail}`);
  return outcome.value;
}

/** The newest run that something was saved of. */
export const lastRun = async ({ library }: Session): Promise<RunSummary | null> =>
  (await library.runs()).find(({ checkpoints }) => checkpoints > 0) ?? null;

export const problem = <T>(outcome: Outcome<T>) => (outcome.ok ? null : outcome.problem);

/** A built-in image as a picked file. */
export const publicFile = (path: string) => ({
  path,
  blob: new Blob([readFileSync(new URL(`../../../public/data/high-contrast/${path}`, import.meta.url))]),
});

/** Changes what the newest row of the trace says. */
export function spoil(
  out: Record<string, TypedArray>,
  row: Partial<Record<'loss' | 'gradNorm' | 'finite' | 'residual', number>>,
): void {
  const trace = out['trace_next'];
  if (!trace) return;
  ['loss', 'gradNorm', 'finite', 'residual'].forEach((name, i) => {
    const x = row[name as keyof typeof row];
    if (x !== undefined) trace[trace.length - 4 + i] = x;
  });
}

export const timeless = (result: RunResult) =>
  recordsOf(result.history).map(({ ms: _, ...record }) => record);

export async function adapterBytes(session: Session, format: AdapterFormat = 'lycoris'): Promise<Uint8Array> {
  return value(await session.exportAdapter(format)).bytes;
}

/** A finished run of the request. */
export interface Finished {
  readonly result: RunResult;
  readonly bytes: Uint8Array;
  readonly events: readonly RunEvent[];
}

/** An uninterrupted run, for others to be held against. */
export async function wholeRun(lab: Lab, asked: JobRequest = request()): Promise<Finished> {
  const session = lab.newSession();
  const events: RunEvent[] = [];
  const result = value(await session.start(asked, (event) => events.push(event)));
  return { result, bytes: await adapterBytes(session), events };
}
