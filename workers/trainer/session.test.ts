/** @file The trainer from request to adapter, in Node: the built-in model and images, a short run, no browser. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordsOf } from '#src/training/steps.ts';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import type { DebugFigures, Outcome, RunEvent, Samples } from '../protocol.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { publicFetch } from './testing/publicFetch.ts';
import {
  adapterBytes,
  type Finished,
  job,
  Lab,
  lastRun,
  problem,
  publicFile,
  request,
  steps,
  timeless,
  tinyJob,
  tinyRequest,
  value,
  wholeRun,
} from './testing/sessions.ts';
import { tinyImages } from './testing/tinyModel.ts';

let serial = 0;
let lab: Lab;
let whole: Finished;

beforeAll(async () => {
  vi.stubGlobal('fetch', publicFetch());
  whole = await wholeRun(new Lab('whole'));
}, 120_000);
afterAll(() => vi.unstubAllGlobals());
beforeEach(() => {
  lab = new Lab(`session-${serial++}`);
});

describe('a run', () => {
  it('trains, samples, evaluates and exports', () => {
    const { result, bytes, events } = whole;
    expect(result).toMatchObject({ outcome: 'finished', step: steps });
    expect([...result.history.step]).toEqual([0, 1, 2, 3]);
    expect(recordsOf(result.history).every((r) => Number.isFinite(r.loss) && r.gradNorm > 0)).toBe(true);
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

  it('says what it is made of and what it costs, while it goes on and after', async () => {
    const session = lab.newSession();
    expect(value(await session.debug())).toBeNull();
    let during: Promise<Outcome<DebugFigures | null>> | null = null;
    const { placement, memory, timings } = value(
      await session.start(tinyRequest(), (event) => {
        if (event.kind === 'steps') during ??= session.debug();
      }),
    );
    const going = value(await during!)!;
    expect(going.step?.stages.map(({ name }) => name)).toEqual(['step']);
    expect(going.step?.operators.reduce((sum, { nodes }) => sum + nodes, 0)).toBe(
      going.step?.stages[0]?.nodes,
    );
    expect(going.step?.memory.weights).toBeGreaterThan(0);
    expect(going.step?.stages[0]?.activations).toBeGreaterThanOrEqual(going.step!.memory.activations);
    expect(going.timings).toHaveProperty('train');
    expect(going.placement.nodes).toBeGreaterThanOrEqual(going.step!.stages[0]!.nodes);
    const after = value(await session.debug())!;
    expect(after).toMatchObject({ step: going.step, placement, timings });
    expect(after.measured).toMatchObject(memory);
  });

  it('ends with phases in order', () => {
    const phases = whole.events.flatMap((e) => (e.kind === 'phase' ? [e.phase] : []));
    const order = phases.filter((p, i) => p !== phases[i - 1]);
    expect(order).toEqual([
      'loading',
      'fetching',
      'preparing',
      'compiling',
      'training',
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
  it.each(depth([2], [1, 2, 3]))(
    'after a pause at step %i gives the bytes of a run never cut',
    async (at) => {
      const first = lab.newSession();
      const paused = value(
        await first.start(request(), (event) => {
          if (event.kind === 'steps' && event.records.some((r) => r.step === at - 1)) void first.pause();
        }),
      );
      expect(paused.outcome).toBe('paused');
      expect(paused.step).toBeLessThan(steps);
      const second = lab.newSession();
      const last = await lastRun(second);
      expect(last).toMatchObject({ id: paused.id, step: paused.step, finished: false, selfContained: true });
      const events: RunEvent[] = [];
      const result = value(await second.start(request(), (event) => events.push(event), paused.id));
      expect(timeless(result)).toEqual(timeless(whole.result));
      expect(result.evaluations).toEqual(whole.result.evaluations);
      expect(await adapterBytes(second)).toEqual(whole.bytes);
      expect(events.find((e) => e.kind === 'samples')).toMatchObject({ step: 0 });
      expect(await lastRun(second)).toMatchObject({ id: paused.id, finished: true });
    },
  );

  it('after the tab was killed gives the same bytes too', async () => {
    const often = request({ job: { ...job, train: { ...job.train, checkpointSteps: 1 } } });
    const first = lab.newSession();
    let killed = false;
    lab.onCreate = (runtime) => {
      runtime.onRun = (stage) => {
        if (killed) throw new Error('The tab is gone.');
        if (stage !== 'step') return;
      };
    };
    await first.start(often, (event) => {
      if (event.kind === 'checkpoint' && event.step === 2) killed = true;
    });
    lab.onCreate = null;
    const second = lab.newSession();
    const last = await lastRun(second);
    expect(last).toMatchObject({ step: 2, finished: false });
    const result = value(await second.start(often, () => undefined, last?.id));
    expect(timeless(result)).toEqual(timeless(whole.result));
    const tensors = (bytes: Uint8Array) => [...readSafetensors(bytes).tensors];
    expect(tensors(await adapterBytes(second))).toEqual(tensors(whole.bytes));
  });

  it('refuses a run of other settings, and names them', async () => {
    const session = lab.newSession();
    const { id } = value(
      await session.start(tinyRequest(), (e) => e.kind === 'steps' && void session.pause()),
    );
    const other = { train: { ...tinyJob.train, learningRate: 1e-3 } };
    const refused = await session.start(tinyRequest(other), () => undefined, id);
    expect(problem(refused)).toMatchObject({ code: 'model-changed' });
    expect(problem(refused)?.message).toMatch(/learningRate/);
    const fewer = tinyRequest({}, { train: tinyImages(['anchor']) });
    expect(problem(await session.start(fewer, () => undefined, id))).toMatchObject({
      code: 'model-changed',
      message: expect.stringMatching(/training data/) as string,
    });
    expect(problem(await session.start(tinyRequest(), () => undefined, 'unknown'))).toMatchObject({
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
    const session = lab.newSession();
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
    expect(await lastRun(session)).toMatchObject({ selfContained: false, finished: true, dataName: 'mine' });
  });
});

describe('sampling', () => {
  const sample = { prompts: ['ghost', 'robot'], seed: job.sample.seed, steps: 2, guidance: 1, strength: 1 };

  it('draws what the run drew last, and at strength 0 what it drew first; after a reload too', async () => {
    const rows = whole.events.filter((e) => e.kind === 'samples');
    const session = new Lab('whole').newSession();
    expect(value(await session.sample(sample)).pictures).toEqual(rows.at(-1)?.pictures);
    expect(value(await session.sample({ ...sample, strength: 0 })).pictures).toEqual(rows[0]?.pictures);
    expect(await adapterBytes(session)).toEqual(whole.bytes);
    const guided = value(await session.sample({ ...sample, prompts: ['wolf'], guidance: 2 })).pictures;
    expect(guided).toHaveLength(1);
  });

  it('says so when there is nothing yet', async () => {
    const session = lab.newSession();
    expect(problem(await session.sample(sample))).toMatchObject({ code: 'no-run' });
    expect(problem(await session.exportAdapter('lycoris'))).toMatchObject({ code: 'no-run' });
    expect(await lastRun(session)).toBeNull();
  });

  it('works between the steps of a run', async () => {
    const session = lab.newSession();
    let during: Promise<Outcome<Samples>> | null = null;
    const result = value(
      await session.start(request(), (event) => {
        if (event.kind === 'steps') during ??= session.sample(sample);
      }),
    );
    expect(value(await during!).pictures).toHaveLength(2);
    expect(timeless(result)).toEqual(timeless(whole.result));
    expect(await adapterBytes(session)).toEqual(whole.bytes);
  });
});

describe('prepare', () => {
  it('plans, counts and times', async () => {
    const session = lab.newSession();
    const prepared = value(await session.prepare(request(), true));
    expect(prepared).toMatchObject({ images: 58, heldout: 0, problems: [], modelBytes: 12_920_538 });
    expect(prepared.modelHash).toMatch(/^[0-9a-f]{64}$/);
    expect(prepared.secondsPerStep).toBeGreaterThan(0);
    expect(prepared.parameters.stored).toBe(prepared.planned.reduce((n, l) => n + l.stored, 0));
    const result = value(await session.start(request(), () => undefined));
    expect(timeless(result)).toEqual(timeless(whole.result));
  });
});
