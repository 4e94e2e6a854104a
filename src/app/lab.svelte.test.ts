/** @file From the button to the result, with a trainer that needs no worker. */
import { JobError } from '#src/formats/errors.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '#workers/protocol.ts';
import { createAutomation } from './page/automation.ts';
import { Lab } from './lab.svelte.ts';
import { MemoryBar } from './page/router.svelte.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { FakeTrainer, type FakeOptions } from './testing/fakeTrainer.ts';
import { toSource } from './data/picked.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 8 }, sample: { ...fakeJob.sample, every: 4 } };
const setUp = (options: FakeOptions = {}) => {
  const trainer = new FakeTrainer({ pace: 1, ...options });
  return { trainer, lab: new Lab(trainer, job) };
};
const running = (lab: Lab) => expect.poll(() => lab.run.step).toBeGreaterThan(0);

afterEach(() => vi.restoreAllMocks());

describe('Lab', () => {
  it('trains to the end and shows the result', async () => {
    const { lab } = setUp();
    const outcome = await lab.training.start();
    expect(outcome.ok && outcome.value.outcome).toBe('finished');
    expect([lab.screen, lab.run.status, lab.run.step]).toEqual(['result', 'done', 8]);
    expect(lab.run.rows.map(({ step }) => step)).toEqual([0, 4, 8]);
    expect(lab.voice.text).toBe('Training finished.');
    expect(lab.comparison.pair?.prompt).toBe('ghost');
    expect(lab.comparison.pairs.some(({ waiting }) => waiting)).toBe(false);
  });

  it('announces the start and each quarter once', async () => {
    const { lab } = setUp();
    const heard: string[] = [];
    await lab.training.start({ onEvent: () => heard.push(lab.voice.text) });
    expect([...new Set(heard)]).toEqual([
      'Training starts.',
      'Step 2 of 8: 25\u2009% done.',
      'Step 4 of 8: 50\u2009% done.',
      'Step 6 of 8: 75\u2009% done.',
    ]);
  });

  it('pauses, offers to go on, and goes on from that step', async () => {
    const { lab } = setUp({ pace: 10 });
    const first = lab.training.start();
    await running(lab);
    await lab.training.pause();
    const paused = await first;
    expect(paused.ok && paused.value.outcome).toBe('paused');
    await expect.poll(() => lab.library.unfinished?.step === lab.run.step).toBe(true);
    const at = lab.run.step;
    const steps: number[] = [];
    await lab.training.start({
      resume: lab.library.unfinished!,
      onEvent: (event: RunEvent) => {
        if (event.kind === 'steps') steps.push(...event.records.map(({ step }) => step));
      },
    });
    expect(steps[0]).toBe(at);
    expect([...lab.run.records].map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('keeps what it saw of the data in sight while an edit is looked at, not beyond other data', async () => {
    const { lab } = setUp();
    await lab.draft.prepare(false);
    const { seen } = lab.draft;
    expect(seen).not.toBeNull();
    lab.draft.setJob({ ...lab.draft.job, train: { ...lab.draft.job.train, steps: 3 } });
    lab.draft.setJob({ ...lab.draft.job, train: { ...lab.draft.job.train, steps: 4 } });
    expect([lab.draft.preparation, lab.draft.seen]).toEqual([null, seen]);
    lab.draft.pick({ train: toSource([{ path: 'cats/a.png', blob: new Blob() }]) });
    expect(lab.draft.seen).toBeNull();
  });

  it('does not start a run that must fail', async () => {
    const { lab, trainer } = setUp({
      problems: [{ severity: 'error', code: 'bad-data', message: 'fox.png cannot be read.' }],
    });
    const start = vi.spyOn(trainer, 'start');
    const outcome = await lab.training.start();
    expect(!outcome.ok && outcome.problem.message).toBe('fox.png cannot be read.');
    expect(start).not.toHaveBeenCalled();
    expect(lab.run.status).toBe('failed');
  });

  it('keeps the checkpoint in sight when the device is lost', async () => {
    const { lab } = setUp({ failAt: 6 });
    await lab.training.start();
    expect(lab.run.problem?.code).toBe('device-lost');
    await expect.poll(() => lab.library.unfinished?.step).toBe(4);
  });

  it('lets one tab train at a time, and tells the other how far it is', async () => {
    // Longer than a tab waits for another that is just ending.
    const { lab } = setUp({ pace: 300 });
    const other = setUp();
    const first = lab.training.start();
    await running(lab);
    await expect.poll(() => other.lab.training.otherTab?.total).toBe(8);
    const refused = await other.lab.training.start();
    expect(!refused.ok && refused.problem.code).toBe('another-tab');
    await lab.training.stop();
    await first;
    await expect.poll(() => other.lab.training.otherTab).toBeNull();
    expect((await other.lab.training.start()).ok).toBe(true);
  });

  it('asks for folders that a job names but the page does not have', async () => {
    const { lab } = setUp();
    lab.draft.setJob({ ...job, data: { ...job.data, train: 'my-cats' } });
    const outcome = await lab.training.start();
    expect(!outcome.ok && outcome.problem).toMatchObject({ code: 'bad-data', item: 'my-cats' });
    lab.draft.pick({ train: toSource([{ path: 'my-cats/a.png', blob: new Blob(['x']) }]) });
    expect(lab.draft.job.data).toMatchObject({ train: 'my-cats', heldout: null });
    expect((await lab.training.start()).ok).toBe(true);
  });

  it('shows the answer to the newest question only', async () => {
    const { lab, trainer } = setUp();
    const prepare = trainer.prepare.bind(trainer);
    let answerFirst = (): void => undefined;
    const held = new Promise<void>((resolve) => (answerFirst = resolve));
    trainer.prepare = async (request, probe) => {
      if (request.job.plan.blocks === job.plan.blocks) await held;
      return prepare(request, probe);
    };
    const first = lab.draft.prepare(false);
    lab.draft.setJob({ ...job, plan: { ...job.plan, blocks: { size: 8 } } });
    await lab.draft.prepare(false);
    answerFirst();
    await first;
    expect(lab.draft.preparation?.planned[0]?.size).toBe(8);
  });
});

describe('storage', () => {
  it('asks the browser once to keep it, at the first checkpoint', async () => {
    const { lab } = setUp();
    const persist = vi.spyOn(navigator.storage, 'persist').mockResolvedValue(true);
    vi.spyOn(navigator.storage, 'persisted').mockResolvedValue(false);
    const rotune = createAutomation(lab, () => job);
    let saved = 0;
    await rotune.run(
      { job: 'steps = 8', backend: 'wasm' },
      ({ kind }) => (saved += Number(kind === 'checkpoint')),
    );
    expect(saved).toBeGreaterThan(0);
    await expect.poll(() => persist.mock.calls.length).toBe(1);
    vi.restoreAllMocks();
  });
});

describe('automation', () => {
  it('runs through the same state as the page', async () => {
    const { lab } = setUp();
    const rotune = createAutomation(lab, () => job);
    const kinds = new Set<string>();
    const outcome = await rotune.run({ job: 'steps = 8', backend: 'wasm' }, ({ kind }) => kinds.add(kind));
    expect(outcome.ok && outcome.value.step).toBe(8);
    expect([...kinds].sort()).toEqual(['angles', 'checkpoint', 'evaluation', 'phase', 'samples', 'steps']);
    const pictures = await rotune.sample({ prompts: ['fox'] });
    expect(pictures.ok && pictures.value.pictures).toHaveLength(1);
  });

  it('answers a job that cannot be read with a problem', async () => {
    const { lab } = setUp();
    const rotune = createAutomation(lab, () => {
      throw new JobError('Line 1: unknown key "stepz"; did you mean "steps"?');
    });
    const outcome = await rotune.run({ job: 'stepz = 8' });
    expect(!outcome.ok && outcome.problem).toMatchObject({
      code: 'bad-job',
      message: expect.stringContaining('stepz') as unknown,
    });
  });

  it('takes files by content and by address, from this origin only', async () => {
    const { lab, trainer } = setUp();
    const rotune = createAutomation(lab, () => job);
    const prepare = vi.spyOn(trainer, 'prepare');
    const folder = { ...job, data: { ...job.data, train: '../cats', heldout: null } };
    await rotune.prepare({
      job: folder,
      train: {
        name: 'cats',
        files: [
          { path: 'b.txt', base64: btoa('a cat') },
          { path: 'a.txt', bytes: new Uint8Array([65]) },
        ],
      },
    });
    const source = prepare.mock.calls[0]?.[0].train;
    expect(source).toMatchObject({ kind: 'files', name: 'cats' });
    const files = source?.kind === 'files' ? source.files : [];
    expect(await Promise.all(files.map(async ({ path, blob }) => [path, await blob.text()]))).toEqual([
      ['a.txt', 'A'],
      ['b.txt', 'a cat'],
    ]);
    expect(lab.draft.job.data.train).toBe('../cats');
    const refused = await rotune.prepare({
      job: folder,
      train: { name: 'cats', files: [{ path: 'a.png', url: 'https://example.org/a.png' }] },
    });
    expect(!refused.ok && refused.problem.message).toContain('this origin');
  });
});

describe('adapters', () => {
  const adapter = toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]);

  it('shows what an adapter draws without training, and forgets it when a run starts', async () => {
    const { lab, trainer } = setUp();
    const open = vi.spyOn(trainer, 'openAdapter');
    expect((await lab.trial.open()).ok).toBe(false);
    expect(open).not.toHaveBeenCalled();
    lab.draft.pick({ adapter });
    const outcome = await lab.trial.open();
    expect(outcome.ok && outcome.value.missing).toHaveLength(1);
    expect([lab.screen, lab.trial.opened?.name]).toEqual(['result', 'style.safetensors']);
    await expect.poll(() => lab.comparison.pair?.waiting).toBe(false);
    await lab.training.start();
    expect(lab.trial.opened).toBeNull();
  });

  it('are part of the question to the worker, and of its answer', async () => {
    const { lab, trainer } = setUp();
    const prepare = vi.spyOn(trainer, 'prepare');
    lab.draft.pick({ adapter });
    await lab.draft.prepare(false);
    expect(prepare.mock.calls[0]?.[0].adapter).toBe(adapter);
    expect(lab.draft.preparation?.adapter?.loaded).toBeGreaterThan(0);
  });

  it('are named in the job that is saved, whatever its task, until they are put away', () => {
    const { lab } = setUp();
    lab.draft.pick({ adapter, train: toSource([{ path: 'mine/a.npz', blob: new Blob(['x']) }]) });
    expect(lab.draft.job.adapter).toBe('style.safetensors');
    lab.draft.chooseTask('generic');
    expect(lab.draft.job).toMatchObject({ task: 'generic', adapter: 'style.safetensors' });
    lab.draft.pick({ model: toSource([{ path: 'mine/model.onnx', blob: new Blob(['x']) }]) });
    expect(lab.draft.job.adapter).toBe('style.safetensors');
    lab.draft.pick({ adapter: null });
    expect(lab.draft.job).not.toHaveProperty('adapter');
  });

  it('outlive an edit of the plan, as the model’s layers do', async () => {
    const { lab } = setUp();
    await lab.draft.prepare(false);
    const { layers } = lab.draft;
    lab.draft.setJob({ ...lab.draft.job, plan: { ...lab.draft.job.plan, blocks: { size: 8 } } });
    expect([lab.draft.preparation, lab.draft.layers]).toEqual([null, layers]);
    lab.draft.pick({ model: toSource([{ path: 'mine/unet/model.onnx', blob: new Blob(['x']) }]) });
    expect(lab.draft.layers).toBeNull();
  });
});

describe('a reload of the tab', () => {
  afterEach(() => sessionStorage.clear());
  const folder = (name: string) => toSource([{ path: `${name}/model.onnx`, blob: new Blob([name]) }])!;
  /** The page anew, at an address. */
  const reloaded = (hash: string) => {
    const bar = new MemoryBar();
    bar.push(hash);
    const trainer = new FakeTrainer({ pace: 1 });
    const lab = new Lab(trainer, job, bar);
    lab.begin();
    return { lab, trainer };
  };

  it('shows the model again that was looked into', async () => {
    const before = setUp().lab;
    await before.inspect(folder('first'));
    await before.inspect(folder('mine'));
    const { lab } = reloaded('#/model');
    await expect.poll(() => lab.inspector.name).toBe('mine');
    const { source } = lab.inspector;
    expect(source?.kind === 'files' && (await source.files[0]!.blob.text())).toBe('mine');
  });

  it('asks by name for a model that could not be kept, until another one is opened', async () => {
    const before = setUp().lab;
    vi.spyOn(before.library.given, 'put').mockResolvedValue({ model: 'huge' });
    await before.inspect(folder('huge'));
    const { lab } = reloaded('#/model');
    await expect.poll(() => lab.inspector.lost).toBe('huge');
    expect(lab.inspector.source).toBeNull();
    await lab.inspect(folder('other'));
    expect(lab.inspector.lost).toBe('');
  });

  it('opens a downloaded model from where it is kept', async () => {
    const before = setUp().lab;
    const put = vi.spyOn(before.library.given, 'put');
    await before.inspect(folder('far'), 'https://example.org/far.onnx');
    expect(put.mock.calls.at(-1)?.[1]).toEqual({});
    const bar = new MemoryBar();
    bar.push('#/model');
    const trainer = new FakeTrainer({ pace: 1 });
    const open = vi.spyOn(trainer, 'openDownload').mockResolvedValue({ ok: true, value: folder('far') });
    const lab = new Lab(trainer, job, bar);
    lab.begin();
    await expect.poll(() => lab.inspector.name).toBe('far');
    expect(open).toHaveBeenCalledWith('https://example.org/far.onnx');
  });

  it('shows the adapter again that is tried', async () => {
    const before = setUp().lab;
    before.draft.pick({ adapter: toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]) });
    await before.trial.open();
    await before.keptDraft.keep(before.draft.job, before.draft.picked);
    const { lab } = reloaded('#/result');
    await expect.poll(() => lab.trial.opened?.name).toBe('style.safetensors');
    expect([lab.screen, lab.route.of]).toEqual(['result', '']);
  });

  it('asks by name for an adapter that could not be kept', async () => {
    const before = setUp().lab;
    before.draft.pick({ adapter: toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]) });
    await before.trial.open();
    await before.keptDraft.keep(before.draft.job, before.draft.picked);
    const bar = new MemoryBar();
    bar.push('#/result');
    const lab = new Lab(new FakeTrainer({ pace: 1 }), job, bar);
    vi.spyOn(lab.library.given, 'get').mockResolvedValue({
      sources: {},
      missing: { adapter: 'style.safetensors' },
    });
    lab.begin();
    await expect.poll(() => lab.trial.missing).toEqual([{ part: 'adapter', name: 'style.safetensors' }]);
    expect(lab.trial.opened).toBeNull();
    lab.draft.pick({ adapter: toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]) });
    expect(lab.trial.missing).toEqual([]);
    expect((await lab.trial.open()).ok).toBe(true);
  });

  it('goes home where nothing was on trial', async () => {
    const { lab } = reloaded('#/result');
    await expect.poll(() => lab.screen).toBe('home');
  });
});

describe('a model of one’s own', () => {
  const model = toSource([{ path: 'mine/model.onnx', blob: new Blob(['x']) }])!;
  const ways: Readonly<Record<string, (lab: Lab) => unknown>> = {
    'picked or dropped in a new job': (lab) => lab.draft.pick({ model }),
    'looked into first': async (lab) => {
      await lab.inspect(model);
      lab.trainModel('diffusion');
    },
    'picked, and taught something else': (lab) => {
      lab.draft.pick({ model });
      lab.draft.chooseTask('generic');
    },
    'picked where data are to be one’s own': (lab) => {
      lab.draft.beginOwn('pairs');
      lab.draft.pick({ model });
    },
    'picked after a task was chosen': (lab) => {
      lab.draft.chooseTask('image-classification');
      lab.draft.pick({ model });
    },
    'picked in place of another one': (lab) => {
      lab.draft.pick({ model });
      lab.draft.pick({ model: { ...model, name: 'another' } });
    },
  };

  it.each(Object.keys(ways))('%s never gets the data of an example', async (way) => {
    const { lab } = setUp();
    await ways[way]!(lab);
    expect(lab.draft.picked.model).not.toBeNull();
    expect(JSON.stringify(lab.draft.job.data)).not.toContain('builtin:');
    expect(lab.draft.awaitsData).toBe(true);
  });
});
