/** @file Adapter files on a tiny model: written for every tool, opened again, merged, and gone on from. */
import 'fake-indexeddb/auto';
import { unzipSync } from 'fflate';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import { parseSafetensors } from '../testing/tensors.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { defaultSettings, peftSettings } from '#src/oft/plan/planned.ts';
import type { LayerSettings, Rule } from '#src/oft/types.ts';
import type { ExportedFile, JobRequest, Picture, RunEvent, Source } from '../../protocol.ts';
import { adapterBytes, Lab, problem, timeless, tinyJob, tinyRequest, value } from '../testing/sessions.ts';
import { tinyModel } from '../testing/tinyModel.ts';

let serial = 0;
let lab: Lab;
beforeEach(() => {
  lab = new Lab(`adapters-${serial++}`);
});

const train = { ...tinyJob.train, steps: 6, learningRate: 0.03, warmup: 0 };
const sample = {
  prompts: ['ghost', 'robot'],
  negative: '',
  steps: 2,
  guidance: 1,
  seed: 7,
  every: 0,
  share: 0.25,
};
const plan = (settings: Partial<LayerSettings>, rules: readonly Rule[] = []) => ({
  ...defaultSettings,
  ...settings,
  rules,
});
const jobWith = (settings: Partial<LayerSettings>, over: Partial<Job> = {}): Partial<Job> => ({
  plan: plan(settings),
  train,
  sample,
  ...over,
});
const asSource = ({ name, bytes }: ExportedFile): Source => ({
  kind: 'files',
  name,
  files: [{ path: name, blob: new Blob([new Uint8Array(bytes)]) }],
});
const opening = (adapter: Source, over: Partial<JobRequest> = {}) => ({
  ...tinyRequest({ sample }),
  ...over,
  adapter,
});

/** Largest difference of two rows of pictures, in levels of 255. */
const apart = (a: readonly Picture[], b: readonly Picture[]): number =>
  Math.max(...a.flatMap((p, i) => Array.from(p.rgba, (x, k) => Math.abs(x - b[i]!.rgba[k]!))));

interface Trained {
  readonly last: readonly Picture[];
  readonly first: readonly Picture[];
  readonly file: (format: AdapterFormat) => Promise<ExportedFile>;
}

async function trained(name: string, settings: Partial<LayerSettings>): Promise<Trained> {
  const session = new Lab(name).newSession();
  const rows: (readonly Picture[])[] = [];
  value(
    await session.start(tinyRequest(jobWith(settings)), (e) => {
      if (e.kind === 'samples') rows.push(e.pictures);
    }),
  );
  return {
    first: rows[0]!,
    last: rows.at(-1)!,
    file: async (format) => value(await session.exportAdapter(format)),
  };
}

let lycoris: Trained;
let peft: Trained;
beforeAll(async () => {
  lycoris = await trained('lycoris', { rescale: true, constraint: 0.05 });
  peft = await trained('peft', peftSettings);
}, 60_000);

const drawing = { prompts: sample.prompts, seed: sample.seed, steps: 2, guidance: 1, strength: 1 };

describe('every kind of file', () => {
  it.each([
    ['lycoris', 'tiny-pictures-oft-6.safetensors'],
    ['comfyui', 'tiny-pictures-oft-6-comfyui.safetensors'],
    ['diff', 'tiny-pictures-oft-6-diff.safetensors'],
  ] as const)('%s draws what the run drew, opened without training', async (format, name) => {
    const file = await lycoris.file(format);
    expect(file).toMatchObject({ name, layers: 6 });
    const session = lab.newSession();
    const report = value(await session.openAdapter(opening(asSource(file))));
    expect(report).toMatchObject({ loaded: 6, missing: [], unexpected: [] });
    expect(apart(lycoris.first, lycoris.last)).toBeGreaterThan(8);
    expect(apart(value(await session.sample(drawing)).pictures, lycoris.last)).toBeLessThanOrEqual(1);
    expect(apart(value(await session.sample({ ...drawing, strength: 0 })).pictures, lycoris.first)).toBe(0);
  });

  it.each([
    ['peft', 'tiny-pictures-oft-6-peft.zip'],
    ['oft_r', 'tiny-pictures-oft-6-onetrainer.safetensors'],
  ] as const)('%s likewise, input side', async (format, name) => {
    const file = await peft.file(format);
    expect(file.name).toBe(name);
    if (format === 'peft')
      expect(Object.keys(unzipSync(file.bytes))).toEqual([
        'adapter_config.json',
        'adapter_model.safetensors',
      ]);
    const session = lab.newSession();
    value(await session.openAdapter(opening(asSource(file))));
    expect(apart(value(await session.sample(drawing)).pictures, peft.last)).toBeLessThanOrEqual(1);
  });

  it('onnx is the model itself, turned', async () => {
    const file = await lycoris.file('onnx');
    expect(file.name).toBe('tiny-pictures-oft-6-merged.onnx');
    const plain = tinyModel();
    if (plain.kind !== 'files') throw new Error('built in');
    const files = plain.files.map((f) =>
      f.path === 'unet/model.onnx' ? { ...f, blob: new Blob([new Uint8Array(file.bytes)]) } : f,
    );
    const session = lab.newSession();
    const rows: (readonly Picture[])[] = [];
    const request = tinyRequest(jobWith({}), { model: { ...plain, files } });
    value(
      await session.start(request, (e) => {
        if (e.kind === 'samples') rows.push(e.pictures);
        if (e.kind === 'steps') void session.stop();
      }),
    );
    expect(apart(rows[0]!, lycoris.last)).toBeLessThanOrEqual(1);
  });

  it('says what a kind cannot hold, and what one loses', async () => {
    const session = new Lab('lycoris').newSession();
    expect(problem(await session.exportAdapter('peft'))).toMatchObject({ code: 'bad-job' });
    // After a reload the user's own model is not at hand, which whole weights need.
    expect(problem(await session.exportAdapter('onnx'))).toMatchObject({ code: 'no-run', item: 'tiny' });
    expect((await lycoris.file('onnx')).losses.join()).toMatch(/merged/);
  });
});

describe('an opened file', () => {
  it('is exported for another tool, and makes room for a run', async () => {
    const session = lab.newSession();
    const file = await lycoris.file('lycoris');
    value(await session.openAdapter(opening(asSource(file))));
    const other = value(await session.exportAdapter('comfyui'));
    expect(other.name).toBe('tiny-pictures-oft-6-comfyui.safetensors');
    const direct = parseSafetensors((await lycoris.file('comfyui')).bytes);
    for (const [key, numbers] of parseSafetensors(other.bytes))
      expect(Math.max(...numbers.map((x, i) => Math.abs(x - direct.get(key)![i]!)))).toBeLessThan(1e-7);
    value(await session.exportAdapter('onnx'));
    value(await session.start(tinyRequest(jobWith({})), (e) => e.kind === 'steps' && void session.stop()));
    expect(value(await session.exportAdapter('lycoris')).name).toMatch(/-oft-\d\.safetensors$/);
  });

  it('of differences is drawn at any strength, but not saved as rotations', async () => {
    const session = lab.newSession();
    value(await session.openAdapter(opening(asSource(await lycoris.file('diff')))));
    const half = value(await session.sample({ ...drawing, strength: 0.5 })).pictures;
    expect(apart(half, lycoris.first)).toBeGreaterThan(1);
    expect(apart(half, lycoris.last)).toBeGreaterThan(1);
    expect(problem(await session.exportAdapter('lycoris'))).toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/whole weight differences/) as string,
    });
  });

  it.each([
    ['rubbish', new Uint8Array(40), /./],
    ['a folder without an adapter', null, /no safetensors|built-in/],
  ])('%s is refused in words', async (_, bytes, words) => {
    const adapter: Source = bytes
      ? { kind: 'files', name: 'x', files: [{ path: 'x.safetensors', blob: new Blob([bytes]) }] }
      : { kind: 'builtin', id: 'nothing' };
    const refused = problem(await lab.newSession().openAdapter(opening(adapter)));
    expect(refused?.code).not.toBe('internal');
    expect(refused?.message).toMatch(words);
    const { problems } = value(await lab.newSession().prepare(tinyRequest({}, { adapter }), false));
    expect(problems.filter((p) => p.severity === 'error')).toEqual([
      expect.objectContaining({ code: 'bad-data' }),
    ]);
  });
});

describe('a run from a file', () => {
  it('begins where the file ends, and a resumed one needs the file no more', async () => {
    const adapter = asSource(await lycoris.file('lycoris'));
    // Other blocks in the plan: the file's layers keep their own.
    const job = jobWith({ blocks: { size: 8, fit: 'nearest' } }, { adapter: 'before.safetensors' });
    const uncut = lab.newSession();
    const prepared = value(await uncut.prepare(tinyRequest(job, { adapter }), true));
    expect(prepared.problems.filter((p) => p.severity === 'error')).toEqual([]);
    expect(prepared.adapter).toMatchObject({ format: 'lycoris', loaded: 6 });
    expect(prepared.adapter?.notes.join()).toMatch(
      /6 layers go on with the blocks and settings of the file.*planned: 2 × 8/,
    );
    expect(prepared.planned.every((p) => p.rescale && p.constraint > 0)).toBe(true);
    const events: RunEvent[] = [];
    const whole = value(await uncut.start(tinyRequest(job, { adapter }), (e) => events.push(e)));
    const first = events.find((e) => e.kind === 'samples');
    expect(apart(first!.pictures, lycoris.last)).toBeLessThanOrEqual(1);
    const bytes = await adapterBytes(uncut);
    expect(parseSafetensors(bytes)).not.toEqual(parseSafetensors((await lycoris.file('lycoris')).bytes));

    const cut = lab.newSession();
    const paused = value(
      await cut.start(tinyRequest(job, { adapter }), (e) => e.kind === 'steps' && void cut.pause()),
    );
    expect(paused.outcome).toBe('paused');
    const resumed = lab.newSession();
    const result = value(await resumed.start(tinyRequest(job), () => undefined, paused.id));
    expect(timeless(result)).toEqual(timeless(whole));
    expect(await adapterBytes(resumed)).toEqual(bytes);

    const other = asSource(await lycoris.file('comfyui'));
    const refused = await lab
      .newSession()
      .start(tinyRequest(job, { adapter: other }), () => undefined, paused.id);
    expect(problem(refused)).toMatchObject({
      code: 'model-changed',
      message: expect.stringMatching(/another adapter file/) as string,
    });
  });

  it('keeps what the plan leaves out as it is in the file', async () => {
    const adapter = asSource(await lycoris.file('lycoris'));
    const rules = [{ match: { name: '*conv1' } }, { match: {}, skip: true }];
    const job = jobWith({}, { plan: plan({}, rules) });
    const session = lab.newSession();
    const prepared = value(await session.prepare(tinyRequest(job, { adapter }), false));
    expect(prepared.adapter?.notes.join()).toMatch(/5 layers that the plan leaves out stay as they are/);
    value(await session.start(tinyRequest(job, { adapter }), () => undefined));
    const before = parseSafetensors((await lycoris.file('lycoris')).bytes);
    const after = parseSafetensors(await adapterBytes(session));
    const moved = [...after.keys()].filter((key) => String(after.get(key)) !== String(before.get(key)));
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.every((key) => key.includes('conv1'))).toBe(true);
  });

  it('trains a layer of the file though the plan’s own blocks would not fit it', async () => {
    const adapter = asSource(await lycoris.file('lycoris'));
    const request = tinyRequest(jobWith({ blocks: { count: 7 } }), { adapter });
    const session = lab.newSession();
    const { planned, problems } = value(await session.prepare(request, false));
    expect(problems.filter((p) => p.severity === 'error')).toEqual([]);
    expect(planned.map((p) => p.lrScale)).toEqual(planned.map(() => 1));
    expect(
      problem(await lab.newSession().start(tinyRequest(jobWith({ blocks: { count: 7 } })), () => undefined)),
    ).toMatchObject({ code: 'bad-job' });
  });

  it('is not begun without the file that the job names', async () => {
    const { problems } = value(
      await lab.newSession().prepare(tinyRequest({ adapter: 'before.safetensors' }), false),
    );
    expect(problems.filter((p) => p.severity === 'error')).toEqual([
      expect.objectContaining({ code: 'bad-data', item: 'before.safetensors' }),
    ]);
  });

  it('cannot start from differences, and says why', async () => {
    const adapter = asSource(await lycoris.file('diff'));
    const refused = problem(await lab.newSession().start(tinyRequest({}, { adapter }), () => undefined));
    expect(refused).toMatchObject({
      code: 'bad-data',
      message: expect.stringMatching(/no rotations/) as string,
    });
  });
});
