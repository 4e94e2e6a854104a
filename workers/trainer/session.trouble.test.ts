/** @file What can go wrong in a run, and that nothing finished is lost by it. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordsOf } from '#src/training/steps.ts';
import type { Problem, RunEvent } from '../protocol.ts';
import type { TestRuntime } from './testing/graphRuntime.ts';
import { publicFetch } from './testing/publicFetch.ts';
import {
  adapterBytes,
  type Finished,
  job,
  Lab,
  problem,
  request,
  spoil,
  tinyJob,
  tinyRequest,
  timeless,
  value,
  wholeRun,
} from './testing/sessions.ts';

let serial = 0;
let lab: Lab;
let whole: Finished;

beforeAll(async () => {
  vi.stubGlobal('fetch', publicFetch());
  whole = await wholeRun(new Lab('whole'), tinyRequest());
}, 120_000);
afterAll(() => vi.unstubAllGlobals());
beforeEach(() => {
  lab = new Lab(`trouble-${serial++}`);
});

/** Saves after each step. */
const often = tinyRequest({ train: { ...tinyJob.train, checkpointSteps: 1 } });

describe('blocks that turn far', () => {
  it('get more rounds for their inverse, and the run can still be cut and resumed', async () => {
    const residualOnce = (runtime: TestRuntime): void => {
      runtime.onOutputs = (out) => {
        if (!out['trace_next']) return;
        spoil(out, { residual: 1 });
        runtime.onOutputs = null;
      };
    };
    lab.onCreate = residualOnce;
    const uncut = lab.newSession();
    const result = value(await uncut.start(often, () => undefined));
    const cut = lab.newSession();
    const paused = value(await cut.start(often, (e) => e.kind === 'steps' && void cut.pause()));
    lab.onCreate = null;
    const stored = await lab.runs().load(paused.id);
    expect(stored?.content.rounds).toBe(5);
    const resumed = lab.newSession();
    expect(timeless(value(await resumed.start(often, () => undefined, paused.id)))).toEqual(timeless(result));
    expect(await adapterBytes(resumed)).toEqual(await adapterBytes(uncut));
  });
});

describe('a damaged checkpoint', () => {
  it('is passed over for the one before it', async () => {
    const first = lab.newSession();
    const paused = value(
      await first.start(often, (e) => e.kind === 'checkpoint' && e.step === 2 && void first.pause()),
    );
    const runs = lab.runs();
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
    const second = lab.newSession();
    const result = value(await second.start(often, (event) => events.push(event), paused.id));
    expect(events.find((e) => e.kind === 'warning')).toMatchObject({ problem: { code: 'storage' } });
    expect(timeless(result)).toEqual(timeless(whole.result));
  });
});

describe('trouble', () => {
  let uncut: { losses: ReturnType<typeof timeless>; bytes: Uint8Array };
  beforeAll(async () => {
    const session = new Lab('trouble-uncut').newSession();
    const result = value(await session.start(often, () => undefined));
    uncut = { losses: timeless(result), bytes: await adapterBytes(session) };
  });

  it('a run says what it was told to begin with, and so does what is saved of it', async () => {
    const note: Problem = { code: 'restarted', message: 'It was started anew.' };
    const session = lab.newSession();
    const events: RunEvent[] = [];
    const result = value(
      await session.start(tinyRequest(), (event) => events.push(event), undefined, 'noted', note),
    );
    expect(events.filter(({ kind }) => kind === 'warning')).toEqual([{ kind: 'warning', problem: note }]);
    expect((await lab.runs().load(result.id))?.content.shown?.warnings).toEqual([note]);
  });

  it('a lost device is replaced, and the run goes on by itself with the same bytes', async () => {
    const session = lab.newSession();
    const events: RunEvent[] = [];
    const result = value(
      await session.start(often, (event) => {
        events.push(event);
        if (event.kind === 'checkpoint' && event.step === 2) lab.runtimes[0]?.lose('unplugged');
      }),
    );
    expect(lab.runtimes).toHaveLength(2);
    expect(timeless(result)).toEqual(uncut.losses);
    expect(await adapterBytes(session)).toEqual(uncut.bytes);
    expect(events.filter((e) => e.kind === 'warning')).toMatchObject([
      { problem: { code: 'device-lost', detail: 'unplugged' } },
    ]);
    expect(events.findLast((e) => e.kind === 'restored')).toMatchObject({ step: 2, stored: { step: 2 } });
  });

  it('a device that is lost before anything was learned is replaced, too', async () => {
    lab.onCreate = (runtime) => {
      if (lab.runtimes.length === 0) setTimeout(() => runtime.lose('unplugged'));
    };
    const session = lab.newSession();
    const result = value(await session.start(often, () => undefined));
    expect(lab.runtimes).toHaveLength(2);
    expect(timeless(result)).toEqual(uncut.losses);
  });

  it('a pause that comes with the loss of the device is heard', async () => {
    const session = lab.newSession();
    const result = value(
      await session.start(often, (event) => {
        if (event.kind !== 'checkpoint' || event.step !== 2) return;
        void session.pause();
        lab.runtimes[0]?.lose('unplugged');
      }),
    );
    expect(result).toMatchObject({ outcome: 'paused', step: 2 });
    const on = value(await lab.newSession().start(often, () => undefined, result.id));
    expect(timeless(on)).toEqual(uncut.losses);
  });

  it('numbers that are not finite stop the run', async () => {
    lab.onCreate = (runtime) => {
      runtime.onOutputs = (out) => {
        spoil(out, { loss: NaN, finite: 0 });
      };
    };
    const long = tinyRequest({
      train: { ...tinyJob.train, steps: 20 },
      sample: { ...tinyJob.sample, every: 0 },
    });
    expect(problem(await lab.newSession().start(long, () => undefined))).toMatchObject({
      code: 'non-finite',
    });
  });

  it('one step that was not finite does not spoil its checkpoint', async () => {
    lab.onCreate = (runtime) => {
      runtime.onOutputs = (out) => {
        if (!out['trace_next']) return;
        spoil(out, { loss: NaN, finite: 0 });
        runtime.onOutputs = null;
      };
    };
    const session = lab.newSession();
    const paused = value(await session.start(often, (e) => e.kind === 'steps' && void session.pause()));
    expect(recordsOf(paused.history)[0]).toMatchObject({ loss: NaN, skipped: true });
    const stored = await lab.runs().load(paused.id);
    expect(stored).toMatchObject({ fellBack: false, header: { step: paused.step } });
  });

  it('a full disk is told of and does not stop the run', async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    try {
      const session = lab.newSession();
      const events: RunEvent[] = [];
      const result = value(await session.start(tinyRequest(), (event) => events.push(event)));
      expect(result.outcome).toBe('finished');
      const unsaved = events.filter((e) => e.kind === 'unsaved');
      expect(unsaved.length).toBeGreaterThan(0);
      for (const event of unsaved)
        expect(event).toMatchObject({ step: 4, problem: { code: 'storage', full: true } });
      expect(events.some((e) => e.kind === 'checkpoint')).toBe(false);
      expect(await adapterBytes(session)).toEqual(whole.bytes);
      expect(problem(await session.saveAgain())).toMatchObject({ code: 'storage' });
      put.mockRestore();
      expect(await lab.runs().load(result.id)).toBeNull();
      expect(value(await session.saveAgain())).toMatchObject({ step: 4 });
      const stored = await lab.runs().load(result.id);
      expect(stored?.content.checkpoint.step).toBe(4);
      expect(problem(await session.saveAgain())).toMatchObject({ code: 'no-run' });
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
          { match: { name: 'up_blocks.2.resnets.0*' }, blocks: { count: 7 } },
          { match: { name: 'up_blocks.2*' }, blocks: { count: 5 } },
          { match: { name: 'nothing*' }, skip: true },
        ],
      },
    };
    const { problems } = value(await lab.newSession().prepare(request({ job: bad }), false));
    const errors = problems.filter((p) => p.severity === 'error');
    expect(errors.map((p) => p.item)).toEqual(['up_blocks.2.resnets.0.conv1', 'up_blocks.2.resnets.1.conv1']);
    expect(problems.filter((p) => p.severity === 'warning').map((p) => p.item)).toContain('rule 3');
    const refused = await lab.newSession().start(request({ job: bad }), () => undefined);
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
    const refused = await lab.newSession().start(request(over), () => undefined);
    expect(problem(refused)).toMatchObject({ code });
    expect(problem(refused)?.message).toMatch(message);
  });

  it('one run at a time', async () => {
    const session = lab.newSession();
    const running = session.start(tinyRequest(), () => undefined);
    expect(problem(await session.start(tinyRequest(), () => undefined))).toMatchObject({ code: 'busy' });
    expect(problem(await session.prepare(tinyRequest(), false))).toMatchObject({ code: 'busy' });
    await session.stop();
    expect(value(await running).outcome).toBe('stopped');
  });
});
