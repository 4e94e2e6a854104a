import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { uniform } from '#src/ops/testing/random.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { mutations } from '../../e2e/fuzz/parts/models.ts';
import { fileSetOf } from '../trainer/files/blobFiles.ts';
import { inspect, Inspected } from './inspect.ts';
import type { InspectedModel, Inspection } from './types.ts';

const golden = new URL('../../e2e/golden/', import.meta.url);
const bytesOf = (path: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(path, golden)));

/** A set of files from e2e/golden or given bytes, by the path in the set. */
function set(files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>, name = 'mine') {
  const blobs = new Map(
    Object.entries(files).map(([path, from]) => [
      path,
      new Blob([typeof from === 'string' ? bytesOf(from) : from]),
    ]),
  );
  return fileSetOf(
    name,
    [...blobs].map(([path, { size }]) => ({ path, size })),
    (path) => blobs.get(path)!,
  );
}
const text = (json: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(json));

function only({ models }: Inspection): InspectedModel {
  expect(models).toHaveLength(1);
  const [model] = models;
  if (model?.kind !== 'model') throw new Error(model?.problem.message ?? 'There is none.');
  return model;
}
const one = async (...[files, look]: Parameters<typeof inspect>): Promise<InspectedModel> =>
  only(await inspect(files, look));

describe('a ResNet', () => {
  const files = set({ 'model.onnx': 'zoo/resnet18-ts17/model.onnx' });

  it('is described', async () => {
    const model = await one(files, { identity: true });
    expect(model).toMatchObject({
      path: 'model.onnx',
      bytes: statSync(new URL('zoo/resnet18-ts17/model.onnx', golden)).size,
      producer: expect.stringMatching(/^pytorch/) as string,
      opsets: [{ domain: '', version: 17 }],
      external: [],
      obstacles: [],
      problems: [],
      trainable: { layers: 22, words: 'This model can be trained: 22 layers can turn.' },
      placement: { of: 'step', elsewhere: [] },
    });
    expect(model.hash).toBe(
      createHash('sha256').update(bytesOf('zoo/resnet18-ts17/model.onnx')).digest('hex'),
    );
    expect(model.layers[0]).toMatchObject({ kind: 'conv', kernel: [7, 7], groups: 1, reach: 'turns' });
    expect(model.layers.at(-1)).toMatchObject({ kind: 'linear', reach: 'turns' });
    expect(model.operators.find((o) => o.op === 'Conv')).toMatchObject({ state: 'gradient' });
    expect(model.operators.reduce((n, o) => n + o.count, 0)).toBe(model.nodes.file);
    expect(model.weights.numbers).toBeGreaterThan(40_000);
    const [input] = model.inputs;
    expect(input?.bound).toHaveLength(4);
    expect(model.outputs[0]?.bound?.[0]).toBe(1);
  });

  it('takes other sizes without being read again', async () => {
    const read = vi.spyOn(files, 'read');
    const inspected = await Inspected.open(files);
    const before = only(inspected.look());
    const reads = read.mock.calls.length;
    const [first] = before.dims;
    const after = only(inspected.look({ dims: { 'model.onnx': { batch: 3, height: 64, width: 64 } } }));
    expect(read.mock.calls).toHaveLength(reads);
    expect(first).toMatchObject({ name: 'batch', kind: 'batch', value: 1, assumed: 1, given: false });
    expect(after.dims.find((d) => d.name === 'batch')).toMatchObject({ value: 3, assumed: 1, given: true });
    expect(after.inputs[0]?.bound).toEqual([3, 3, 64, 64]);
    expect(after.outputs[0]?.bound?.[0]).toBe(3);
    read.mockRestore();
  });

  it('says what is wrong with a size, and goes on', async () => {
    const model = await one(files, { dims: { 'model.onnx': { batch: -1 } } });
    expect(model.trainable.layers).toBe(0);
    expect(model.trainable.words).toMatch(/batch.*whole number/);
    expect(model.operators.length).toBeGreaterThan(3);
  });
});

/** Models of common exporters; those named for what is wrong with them are looked at below. */
const sound = readdirSync(new URL('zoo', golden)).filter((name) => !/^bad-|-refuse-/.test(name));

it.each(sound)('%s can be trained', async (name) => {
  const parts = readdirSync(new URL(`zoo/${name}`, golden)).filter((file) => file.startsWith('model.onnx'));
  const model = await one(set(Object.fromEntries(parts.map((file) => [file, `zoo/${name}/${file}`]))));
  expect(model.problems).toEqual([]);
  expect(model.trainable.layers).toBe(model.layers.length);
  expect(model.layers.length).toBeGreaterThan(2);
  expect(model.placement?.of).toBe('step');
  expect(model.dims.every((d) => d.why !== '' && d.uses.length > 0)).toBe(true);
});

it('takes sizes from the config.json beside the model', async () => {
  const model = await one(
    set({
      'm/model.onnx': 'zoo/resnet18-ts17/model.onnx',
      'config.json': text({ image_size: { height: 96, width: 96 } }),
    }),
  );
  expect(model.dims.filter((d) => d.kind === 'side').map((d) => d.value)).toEqual([96, 96]);
  expect(model.inputs[0]?.bound).toEqual([1, 3, 96, 96]);
});

describe('weights in a file beside the model', () => {
  const whole = {
    'model.onnx': 'zoo/llama-dyn20/model.onnx',
    'model.onnx.data': 'zoo/llama-dyn20/model.onnx.data',
  };

  it('are counted', async () => {
    const model = await one(set(whole), { identity: true });
    expect(model.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(model.external).toEqual([{ path: 'model.onnx.data', bytes: 102_400 }]);
    expect(model.trainable.layers).toBe(15);
    expect(model.bytes).toBeGreaterThan(200_000);
  });

  it('that are missing are asked for by name, and the rest is shown', async () => {
    const model = await one(set({ 'deep/model.onnx': whole['model.onnx'] }), { identity: true });
    expect(model.trainable.layers).toBe(0);
    expect(model.trainable.words).toContain('deep/model.onnx.data');
    expect(model.trainable.cure).toMatch(/together with/);
    expect(model.problems[0]).toMatchObject({ severity: 'error', code: 'bad-model' });
    expect(model.hash).toBeNull();
    expect(model.inputs.map((v) => v.name)).toEqual(['input_ids', 'attention_mask']);
    expect(model.operators.length).toBeGreaterThan(5);
  });

  it('that are cut short are refused', async () => {
    const short = { ...whole, 'model.onnx.data': bytesOf(whole['model.onnx.data']).slice(0, 500) };
    const { models } = await inspect(set(short));
    const [file] = models;
    const said = file?.kind === 'refused' ? file.problem.message : file?.trainable.words;
    expect(said).toMatch(/model\.onnx\.data/);
    expect(said).toMatch(/bytes|truncated/);
  });
});

it('says of a model that computes on whole numbers that its layers can turn, and what becomes of its rounding', async () => {
  const model = await one(set({ 'model.onnx': 'integer/mlp-dynamic-i8.onnx' }));
  expect(model.trainable.words).toMatch(
    /^This model can be trained: 2 layers can turn\. The model rounds activations to whole numbers, which training leaves out/,
  );
  expect(model.trainable.cure).toContain('rounding = "keep"');
  expect(model.obstacles).toEqual([]);
  expect(model.operators.find((o) => o.op === 'MatMulInteger')).toMatchObject({ state: 'gradient' });
});

it('names the operator that stands in the way, and the way out', async () => {
  const model = await one(set({ 'model.onnx': 'zoo/gru-refuse-ts17/model.onnx' }));
  expect(model.trainable).toMatchObject({
    layers: 0,
    words: 'This model cannot be trained: it has GRU (1 node).',
    cure: expect.stringMatching(/^Recurrent layers are not supported: .*Export/) as string,
  });
  expect(model.obstacles).toMatchObject([{ op: 'GRU', blocks: true }]);
  expect(model.operators.find((o) => o.op === 'GRU')).toMatchObject({ state: 'unsupported', count: 1 });
  expect(model.placement).toBeNull();
  const custom = await one(set({ 'model.onnx': 'bad/custom-op.onnx' }));
  expect(custom.obstacles[0]?.reason).toMatch(/does not know/);
});

it('refuses a broken file by itself', async () => {
  const bad = readdirSync(new URL('bad', golden));
  const files = Object.fromEntries(bad.map((name) => [name, `bad/${name}`]));
  const { models, name } = await inspect(set({ ...files, 'good.onnx': 'zoo/mlp-ts14/model.onnx' }, 'parts'));
  expect(name).toBe('parts');
  expect(models).toHaveLength(bad.length + 1);
  for (const model of models) {
    if (model.path === 'good.onnx') {
      expect(model).toMatchObject({ kind: 'model', trainable: { layers: 3 } });
      continue;
    }
    const said = model.kind === 'refused' ? model.problem.message : model.trainable.words;
    expect(said.length).toBeGreaterThan(20);
    expect(said).not.toMatch(/undefined|\[object|TypeError|Something went wrong/);
    if (model.kind === 'model') expect(model.trainable.layers).toBe(0);
    else expect(model.problem).toMatchObject({ code: 'bad-model', item: model.path });
  }
});

it('knows a pipeline, and says what to do where there is no model', async () => {
  const pipeline = await inspect(
    set({
      'p/model_index.json': text({ _class_name: 'StableDiffusionPipeline' }),
      'p/unet/model.onnx': 'zoo/mlp-ts14/model.onnx',
    }),
  );
  expect(pipeline).toMatchObject({ pipeline: 'StableDiffusionPipeline', files: 2 });
  await expect(inspect(set({ 'notes.txt': text('hi') }))).rejects.toThrow(/no ONNX model.*Export/);
});

it('says something sensible of any damaged file', async () => {
  const whole = bytesOf('zoo/mlp-ts14/model.onnx');
  for (const [kind, mutate] of Object.entries(mutations))
    for (let seed = 0; seed < depth(4, 12); seed++) {
      const damaged = mutate(whole, uniform(seed * 7919 + kind.length));
      const { models } = await inspect(set({ 'model.onnx': new Uint8Array(damaged) }));
      const [model] = models;
      const said = model?.kind === 'refused' ? model.problem : model?.problems[0];
      expect(said?.code, `${kind} ${seed}: ${said?.message ?? ''}`).not.toBe('internal');
      expect(structuredClone(model)).toEqual(model);
    }
});
