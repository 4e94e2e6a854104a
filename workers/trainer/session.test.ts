/** @file The trainer from request to adapter, in Node: the built-in model and images, a short run, no browser. */
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultJob } from '#src/formats/job.ts';
import type { Job } from '#src/formats/jobTypes.ts';
import { readSafetensors } from '#src/formats/safetensors.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { decodePng } from '#src/tasks/diffusion/testing/decodePng.ts';
import type { JobRequest, Outcome, RunEvent, RunResult } from '../protocol.ts';
import { openRuns } from './saved.ts';
import { Session } from './session.ts';
import { graphRuntime, type TestRuntime } from './testing/graphRuntime.ts';
import { base, publicFetch } from './testing/publicFetch.ts';

const steps = 4;

/** Few layers and few steps: every part of a run, none of it long. */
const job: Job = {
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

const request = (over: Partial<JobRequest> = {}): JobRequest => ({
  job,
  model: { kind: 'builtin', id: 'emoji' },
  train: { kind: 'builtin', id: 'high-contrast/train' },
  heldout: null,
  backend: 'wasm',
  ...over,
});

let serial = 0;
let database = '';
let runtimes: TestRuntime[] = [];
let onCreate: ((runtime: TestRuntime) => void) | null = null;

/** A fresh worker over the same storage: what a reloaded page gets. */
function newSession(): Session {
  return new Session({
    base,
    decode: decodePng,
    runs: openRuns(database),
    createRuntime: () => {
      const runtime = graphRuntime();
      onCreate?.(runtime);
      runtimes.push(runtime);
      return Promise.resolve(runtime);
    },
  });
}

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok)
    throw new Error(`${outcome.problem.code}: ${outcome.problem.message} ${outcome.problem.detail}`);
  return outcome.value;
}

const problem = <T>(outcome: Outcome<T>) => (outcome.ok ? null : outcome.problem);

/** A built-in image as a picked file. */
const publicFile = (path: string) => ({
  path,
  blob: new Blob([readFileSync(new URL(`../../public/data/high-contrast/${path}`, import.meta.url))]),
});

/** Changes what the newest row of the trace says. */
function spoil(
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

const timeless = (result: RunResult) => result.history.map(({ ms: _, ...record }) => record);

async function adapterBytes(session: Session): Promise<Uint8Array> {
  return value(await session.exportAdapter()).bytes;
}

beforeAll(() => vi.stubGlobal('fetch', publicFetch()));
afterAll(() => vi.unstubAllGlobals());
beforeEach(() => {
  database = `session-${serial++}`;
  runtimes = [];
  onCreate = null;
});

/** An uninterrupted run, for others to be held against. */
let whole: { result: RunResult; bytes: Uint8Array; events: RunEvent[] };
beforeAll(async () => {
  database = 'session-whole';
  const session = newSession();
  const events: RunEvent[] = [];
  const result = value(await session.start(request(), (event) => events.push(event)));
  whole = { result, bytes: await adapterBytes(session), events };
}, 120_000);

describe('a run', () => {
  it('trains, samples, evaluates and exports', () => {
    const { result, bytes, events } = whole;
    expect(result).toMatchObject({ outcome: 'finished', step: steps });
    expect(result.history.map((r) => r.step)).toEqual([0, 1, 2, 3]);
    expect(result.history.every((r) => Number.isFinite(r.loss) && r.gradNorm > 0)).toBe(true);
    expect(result.evaluations.map((e) => e.step)).toEqual([0, 2, 4]);
    const rows = events.filter((e) => e.kind === 'samples');
    expect(rows.map((r) => r.step)).toEqual([0, 2, 4]);
    expect(rows[0]?.pictures).toHaveLength(2);
    expect(rows[2]?.pictures[0]?.rgba).not.toEqual(rows[0]?.pictures[0]?.rgba);
    const { tensors } = readSafetensors(bytes);
    const blocks = [...tensors.keys()].filter((key) => key.endsWith('.oft_blocks'));
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.every((key) => key.startsWith('lycoris_up_blocks_2'))).toBe(true);
  });

  it('ends with phases in order', () => {
    const phases = whole.events.flatMap((e) => (e.kind === 'phase' ? [e.phase] : []));
    const order = phases.filter((p, i) => p !== phases[i - 1]);
    expect(order).toEqual([
      'loading',
      'compiling',
      'sampling',
      'training',
      'sampling',
      'training',
      'sampling',
      'saving',
    ]);
  });
});

describe('going on', () => {
  it.each([1, 2, 3])('after a pause at step %i gives the bytes of a run never cut', async (at) => {
    const first = newSession();
    const paused = value(
      await first.start(request(), (event) => {
        if (event.kind === 'steps' && event.records.some((r) => r.step === at - 1)) void first.pause();
      }),
    );
    expect(paused.outcome).toBe('paused');
    expect(paused.step).toBeLessThan(steps);
    const second = newSession();
    const last = await second.lastRun();
    expect(last).toMatchObject({ id: paused.id, step: paused.step, finished: false, selfContained: true });
    const events: RunEvent[] = [];
    const result = value(await second.start(request(), (event) => events.push(event), paused.id));
    expect(timeless(result)).toEqual(timeless(whole.result));
    expect(result.evaluations).toEqual(whole.result.evaluations);
    expect(await adapterBytes(second)).toEqual(whole.bytes);
    expect(events.find((e) => e.kind === 'samples')).toMatchObject({ step: 0 });
    expect(await second.lastRun()).toMatchObject({ id: paused.id, finished: true });
  });

  it('after the tab was killed gives the same bytes too', async () => {
    const often = request({ job: { ...job, train: { ...job.train, checkpointSteps: 1 } } });
    const first = newSession();
    let killed = false;
    onCreate = (runtime) => {
      runtime.onRun = (stage) => {
        if (killed) throw new Error('The tab is gone.');
        if (stage !== 'step') return;
      };
    };
    await first.start(often, (event) => {
      if (event.kind === 'checkpoint' && event.step === 2) killed = true;
    });
    onCreate = null;
    const second = newSession();
    const last = await second.lastRun();
    expect(last).toMatchObject({ step: 2, finished: false });
    const result = value(await second.start(often, () => undefined, last?.id));
    expect(timeless(result)).toEqual(timeless(whole.result));
    const tensors = (bytes: Uint8Array) => [...readSafetensors(bytes).tensors];
    expect(tensors(await adapterBytes(second))).toEqual(tensors(whole.bytes));
  });

  it('refuses a run of other settings, and names them', async () => {
    const session = newSession();
    const { id } = value(await session.start(request(), (e) => e.kind === 'steps' && void session.pause()));
    const other = { ...job, train: { ...job.train, learningRate: 1e-3 } };
    const refused = await session.start(request({ job: other }), () => undefined, id);
    expect(problem(refused)).toMatchObject({ code: 'model-changed' });
    expect(problem(refused)?.message).toMatch(/learningRate/);
    const fewer = request({
      train: { kind: 'files', name: 'mine', files: [publicFile('train/anchor.png')] },
    });
    expect(problem(await session.start(fewer, () => undefined, id))).toMatchObject({
      code: 'model-changed',
      message: expect.stringMatching(/training images/) as string,
    });
    expect(problem(await session.start(request(), () => undefined, 'unknown'))).toMatchObject({
      code: 'no-run',
    });
  });
});

describe('the user’s own files', () => {
  const own = request({
    train: {
      kind: 'files',
      name: 'mine',
      files: ['anchor', 'bear'].map((n) => publicFile(`train/${n}.png`)),
    },
    heldout: { kind: 'files', name: 'judge', files: [publicFile('heldout/alien.png')] },
    job: { ...job, sample: { ...job.sample, every: 0 } },
  });

  it('train, and held-out images judge before and after', async () => {
    const session = newSession();
    const result = value(
      await session.start(own, (e) => {
        if (e.kind === 'steps') void session.stop();
      }),
    );
    expect(result.outcome).toBe('stopped');
    expect(result.step).toBeLessThan(steps);
    expect(result.evaluations.map((e) => e.step)).toEqual([0, result.step]);
    const [before, after] = result.evaluations.map((e) => e.heldoutLoss ?? NaN);
    expect(before).toBeGreaterThan(0);
    expect(after).not.toBe(before);
    expect(await session.lastRun()).toMatchObject({ selfContained: false, finished: true, dataName: 'mine' });
  });
});

describe('blocks that turn far', () => {
  it('get more rounds for their inverse, and the run can still be cut and resumed', async () => {
    const often = request({ job: { ...job, train: { ...job.train, checkpointSteps: 1 } } });
    const residualOnce = (runtime: TestRuntime): void => {
      runtime.onOutputs = (out) => {
        if (!out['trace_next']) return;
        spoil(out, { residual: 1 });
        runtime.onOutputs = null;
      };
    };
    onCreate = residualOnce;
    const uncut = newSession();
    const result = value(await uncut.start(often, () => undefined));
    const cut = newSession();
    const paused = value(await cut.start(often, (e) => e.kind === 'steps' && void cut.pause()));
    onCreate = null;
    const stored = await openRuns(database).load(paused.id);
    expect(stored?.content.rounds).toBe(14);
    const resumed = newSession();
    expect(timeless(value(await resumed.start(often, () => undefined, paused.id)))).toEqual(timeless(result));
    expect(await adapterBytes(resumed)).toEqual(await adapterBytes(uncut));
  });
});

describe('a damaged checkpoint', () => {
  it('is passed over for the one before it', async () => {
    const often = request({ job: { ...job, train: { ...job.train, checkpointSteps: 1 } } });
    const first = newSession();
    const paused = value(
      await first.start(often, (e) => e.kind === 'checkpoint' && e.step === 2 && void first.pause()),
    );
    const runs = openRuns(database);
    const stored = await runs.load(paused.id);
    if (!stored) throw new Error('nothing stored');
    const { checkpoint } = stored.content;
    const theta = checkpoint.state['theta']!.slice(1);
    const broken = {
      ...stored.content,
      checkpoint: { ...checkpoint, state: { ...checkpoint.state, theta } },
    };
    await runs.save(stored.header, broken);
    const events: RunEvent[] = [];
    const second = newSession();
    const result = value(await second.start(often, (event) => events.push(event), paused.id));
    expect(events.find((e) => e.kind === 'warning')).toMatchObject({ problem: { code: 'storage' } });
    expect(timeless(result)).toEqual(timeless(whole.result));
  });
});

describe('trouble', () => {
  it('a lost device leaves the last checkpoint, and the run goes on on a new one', async () => {
    const often = request({ job: { ...job, train: { ...job.train, checkpointSteps: 1 } } });
    const session = newSession();
    const outcome = await session.start(often, (event) => {
      if (event.kind === 'checkpoint' && event.step === 2) runtimes[0]?.lose('unplugged');
    });
    expect(problem(outcome)).toMatchObject({ code: 'device-lost' });
    const last = await session.lastRun();
    expect(last).toMatchObject({ step: 2 });
    const result = value(await session.start(often, () => undefined, last?.id));
    expect(runtimes).toHaveLength(2);
    expect(timeless(result)).toEqual(timeless(whole.result));
  });

  it('numbers that are not finite stop the run', async () => {
    onCreate = (runtime) => {
      runtime.onOutputs = (out) => {
        spoil(out, { loss: NaN, finite: 0 });
      };
    };
    const long = request({
      job: { ...job, train: { ...job.train, steps: 20 }, sample: { ...job.sample, every: 0 } },
    });
    expect(problem(await newSession().start(long, () => undefined))).toMatchObject({ code: 'non-finite' });
  });

  it('one step that was not finite does not spoil its checkpoint', async () => {
    const often = request({ job: { ...job, train: { ...job.train, checkpointSteps: 1 } } });
    onCreate = (runtime) => {
      runtime.onOutputs = (out) => {
        if (!out['trace_next']) return;
        spoil(out, { loss: NaN, finite: 0 });
        runtime.onOutputs = null;
      };
    };
    const session = newSession();
    const paused = value(await session.start(often, (e) => e.kind === 'steps' && void session.pause()));
    expect(paused.history[0]).toMatchObject({ loss: NaN, skipped: true });
    const stored = await openRuns(database).load(paused.id);
    expect(stored).toMatchObject({ fellBack: false, header: { step: paused.step } });
  });

  it('a full disk is told of and does not stop the run', async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    try {
      const session = newSession();
      const events: RunEvent[] = [];
      const result = value(await session.start(request(), (event) => events.push(event)));
      expect(result.outcome).toBe('finished');
      expect(events.find((e) => e.kind === 'warning')).toMatchObject({ problem: { code: 'storage' } });
      expect(await adapterBytes(session)).toEqual(whole.bytes);
    } finally {
      put.mockRestore();
    }
  });

  it('lists what is wrong with a job, all at once', async () => {
    const bad = {
      ...job,
      plan: {
        ...job.plan,
        rules: [
          { match: { name: 'up_blocks.2*' }, blocks: { count: 7 } },
          { match: { name: 'nothing*' }, skip: true },
        ],
      },
    };
    const { problems } = value(await newSession().prepare(request({ job: bad }), false));
    expect(problems.filter((p) => p.severity === 'error').length).toBeGreaterThan(3);
    expect(problems.some((p) => p.severity === 'warning')).toBe(true);
    const refused = await newSession().start(request({ job: bad }), () => undefined);
    expect(problem(refused)).toMatchObject({ code: 'bad-job' });
  });

  it.each([
    ['a folder that is not there', { model: { kind: 'builtin', id: 'nowhere' } }, 'bad-data', /nowhere/],
    ['a path that leads outside', { model: { kind: 'builtin', id: '../data' } }, 'bad-data', /no built-in/],
    [
      'a folder without images',
      { train: { kind: 'files', name: 'mine', files: [{ path: 'a.txt', blob: new Blob(['x']) }] } },
      'bad-data',
      /no image in mine/,
    ],
    [
      'an image that is none',
      { train: { kind: 'files', name: 'mine', files: [{ path: 'a.png', blob: new Blob(['x']) }] } },
      'bad-data',
      /a\.png/,
    ],
    [
      'a model that is none',
      { model: { kind: 'files', name: 'mine', files: [{ path: 'model.onnx', blob: new Blob(['x']) }] } },
      'bad-data',
      /model_index\.json/,
    ],
  ] as const)('%s', async (_, over, code, message) => {
    const refused = await newSession().start(request(over), () => undefined);
    expect(problem(refused)).toMatchObject({ code });
    expect(problem(refused)?.message).toMatch(message);
  });

  it('one run at a time', async () => {
    const session = newSession();
    const running = session.start(request(), () => undefined);
    expect(problem(await session.start(request(), () => undefined))).toMatchObject({ code: 'busy' });
    expect(problem(await session.prepare(request(), false))).toMatchObject({ code: 'busy' });
    await session.stop();
    expect(value(await running).outcome).toBe('stopped');
  });
});

describe('sampling', () => {
  const sample = { prompts: ['ghost', 'robot'], seed: job.sample.seed, steps: 2, guidance: 1, strength: 1 };

  it('draws what the run drew last, and at strength 0 what it drew first; after a reload too', async () => {
    const rows = whole.events.filter((e) => e.kind === 'samples');
    database = 'session-whole';
    const session = newSession();
    expect(value(await session.sample(sample))).toEqual(rows.at(-1)?.pictures);
    expect(value(await session.sample({ ...sample, strength: 0 }))).toEqual(rows[0]?.pictures);
    expect(await adapterBytes(session)).toEqual(whole.bytes);
    const guided = value(await session.sample({ ...sample, prompts: ['wolf'], guidance: 2 }));
    expect(guided).toHaveLength(1);
  });

  it('says so when there is nothing yet', async () => {
    const session = newSession();
    expect(problem(await session.sample(sample))).toMatchObject({ code: 'no-run' });
    expect(problem(await session.exportAdapter())).toMatchObject({ code: 'no-run' });
    expect(await session.lastRun()).toBeNull();
  });

  it('works between the steps of a run', async () => {
    const session = newSession();
    let during: Promise<Outcome<unknown>> | null = null;
    const result = value(
      await session.start(request(), (event) => {
        if (event.kind === 'steps') during ??= session.sample(sample);
      }),
    );
    expect(value(await during!)).toHaveLength(2);
    expect(timeless(result)).toEqual(timeless(whole.result));
    expect(await adapterBytes(session)).toEqual(whole.bytes);
  });
});

describe('prepare', () => {
  it('plans, counts and times', async () => {
    const session = newSession();
    const prepared = value(await session.prepare(request(), true));
    expect(prepared).toMatchObject({ images: 58, heldout: 0, problems: [], modelBytes: 12_920_538 });
    expect(prepared.modelHash).toMatch(/^[0-9a-f]{64}$/);
    expect(prepared.secondsPerStep).toBeGreaterThan(0);
    expect(prepared.parameters.stored).toBe(prepared.layers.reduce((n, l) => n + l.stored, 0));
    const result = value(await session.start(request(), () => undefined));
    expect(timeless(result)).toEqual(timeless(whole.result));
  });
});
