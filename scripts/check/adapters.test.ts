import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model } from '#src/onnx/model.ts';
import { constantOf, numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { model as modelOf } from '#src/ops/testing/models.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { expectNear, largest, tensors } from '../../e2e/golden/testing/fixtures.ts';
import { runCheck, temporaryFolder } from './testing/run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { path: folder, remove } = temporaryFolder('adapters');
afterAll(remove);

const run = (...argv: string[]) => runCheck(root, argv);

const wave = (n: number, phase: number, scale = 1): number[] =>
  Array.from({ length: n }, (_, i) => scale * Math.sin(1.7 * i + phase + 0.1 * i * i));
const f32 = (shape: number[], phase: number, scale = 1): Tensor =>
  tensor(
    'float32',
    shape,
    wave(
      shape.reduce((p, d) => p * d, 1),
      phase,
      scale,
    ),
  );

/** y = x·W with W [6, 8]: one linear layer named fc. */
const linear = (): Model =>
  modelOf({
    name: 'g',
    inputs: [{ name: 'x', type: 'float32', shape: [3, 6] }],
    outputs: [{ name: 'y', type: 'float32', shape: [3, 8] }],
    nodes: [
      {
        op: 'MatMul',
        domain: '',
        name: '/fc/MatMul',
        inputs: ['x', 'fc.weight'],
        outputs: ['y'],
        attributes: {},
      },
    ],
    initializers: new Map([['fc.weight', constantOf(f32([6, 8], 1))]]),
  });
const x = f32([3, 6], 2);
const dy = f32([3, 8], 3);

/** What --gradients writes of the linear layer with an adapter of these tensors. */
async function withAdapter(adapter: Map<string, Tensor>, strength = '1'): Promise<Map<string, Tensor>> {
  const own = mkdtempSync(join(folder, 'run-'));
  const path = (name: string): string => join(own, name);
  writeFileSync(path('linear.onnx'), encodeModel(linear()));
  writeFileSync(path('adapter.safetensors'), writeSafetensors(adapter));
  writeFileSync(
    path('in.safetensors'),
    writeSafetensors(
      new Map([
        ['input.x', x],
        ['cotangent.y', dy],
      ]),
    ),
  );
  const gradients = ['--gradients', path('in.safetensors'), path('out.safetensors')];
  const adapted = ['--adapter', path('adapter.safetensors'), '--strength', strength];
  const { status, err } = await run(path('linear.onnx'), ...adapted, ...gradients);
  expect([status, err]).toEqual([0, '']);
  return readSafetensors(new Uint8Array(readFileSync(path('out.safetensors')))).tensors;
}

const lossOf = (out: ReadonlyMap<string, Tensor>): number =>
  numbersOf(out.get('output.y')!).reduce((sum, v, i) => sum + v * numbersOf(dy)[i]!, 0);

/** Each number is two runs of the command. Steps of 5 come to every place of a block. */
const every = depth(5, 1);

/** The gradient under the key against central differences of Σ output·cotangent, number by number. */
async function expectDifferences(adapter: Map<string, Tensor>, key: string): Promise<void> {
  const found = (await withAdapter(adapter)).get(`grad.adapter.${key}`)!;
  const t = adapter.get(key)!;
  expect(found.shape).toEqual(t.shape);
  const at = async (i: number, by: number): Promise<number> => {
    const data = Float32Array.from(t.data as Float32Array);
    data[i]! += by;
    return lossOf(await withAdapter(new Map([...adapter, [key, { ...t, data }]])));
  };
  const step = 0.02;
  const [got, wanted]: [number[], number[]] = [[], []];
  for (let i = 0; i < t.data.length; i += every) {
    got.push(Number(found.data[i]));
    wanted.push(((await at(i, step)) - (await at(i, -step))) / (2 * step));
  }
  const most = Math.max(...wanted.map(Math.abs));
  expect(most).toBeGreaterThan(0.1);
  const list = (values: number[]): Tensor => tensor('float32', [values.length], values);
  expectNear(key, list(got), list(wanted), 2e-3 * most + 2e-3);
}

describe('gradients in the file’s own numbers', () => {
  const alpha = tensor('float32', [], [0]);

  it('also of BOFT stages that are zero', async () => {
    const blocks = f32([2, 2, 4, 4], 4, 0.1);
    (blocks.data as Float32Array).fill(0, 32);
    const adapter = new Map([
      ['lycoris_fc.oft_blocks', blocks],
      ['lycoris_fc.alpha', alpha],
    ]);
    await expectDifferences(adapter, 'lycoris_fc.oft_blocks');
  });

  it('of one BOFT stage, which ComfyUI’s encoding of a rescaled Diag-OFT is', async () => {
    const adapter = new Map([
      ['lycoris_fc.oft_blocks', f32([1, 2, 4, 4], 5, 0.1)],
      ['lycoris_fc.rescale', tensor('float32', [8, 1], [1, 1.1, 0.9, 1, 1.2, 0.8, 1, 1])],
      ['lycoris_fc.alpha', alpha],
    ]);
    await expectDifferences(adapter, 'lycoris_fc.oft_blocks');
    await expectDifferences(adapter, 'lycoris_fc.rescale');
  });

  it('of oft_R, shared', async () => {
    await expectDifferences(
      new Map([['lora_unet_fc.oft_R.weight', f32([1, 3], 6, 0.1)]]),
      'lora_unet_fc.oft_R.weight',
    );
  });

  it('of OneTrainer’s scaled oft_R', async () => {
    const adapter = new Map([
      ['lora_unet_fc.oft_R.weight', f32([2, 3], 6, 0.3)],
      ['lora_unet_fc.oft_R.scaled_oft', tensor('float32', [1], [1])],
    ]);
    await expectDifferences(adapter, 'lora_unet_fc.oft_R.weight');
  });

  it('of whole differences: s·∂W, as torch lays it out', async () => {
    const difference = f32([8, 6], 7, 0.3);
    const adapter = new Map([['lycoris_fc.diff', difference]]);
    await expectDifferences(adapter, 'lycoris_fc.diff');
    const [whole, half, none] = [
      await withAdapter(adapter),
      await withAdapter(adapter, '0.5'),
      await withAdapter(adapter, '0'),
    ].map((out) => numbersOf(out.get('output.y')!)) as [number[], number[], number[]];
    half.forEach((v, i) => expect(v).toBeCloseTo((whole[i]! + none[i]!) / 2, 5));
    expect(
      numbersOf((await withAdapter(adapter, '0.5')).get('grad.adapter.lycoris_fc.diff')!)[0],
    ).toBeCloseTo(numbersOf((await withAdapter(adapter)).get('grad.adapter.lycoris_fc.diff')!)[0]! / 2, 5);
  });

  it('are zero at strength 0, where the model is untouched, rescale and all', async () => {
    const adapter = new Map([
      ['lycoris_fc.oft_blocks', f32([2, 4, 4], 5, 0.1)],
      ['lycoris_fc.rescale', f32([8, 1], 5)],
      ['lycoris_fc.alpha', alpha],
    ]);
    const out = await withAdapter(adapter, '0');
    const plain = await withAdapter(
      new Map([['lycoris_fc.diff', tensor('float32', [8, 6], wave(48, 0, 0))]]),
    );
    expect(out.get('output.y')).toEqual(plain.get('output.y'));
    for (const key of ['oft_blocks', 'rescale'])
      expect(numbersOf(out.get(`grad.adapter.lycoris_fc.${key}`)!).every((v) => v === 0)).toBe(true);
  });
});

describe('a small UNet with PEFT’s folder', () => {
  const io = tensors('oft/unet/peft_io.safetensors');
  const want = io.get('expected.output')!;
  const given = new Map<string, Tensor>([['cotangent.out_sample', f32([...want.shape], 1)]]);
  for (const name of ['sample', 'timestep', 'encoder_hidden_states'])
    given.set(`input.${name}`, io.get(name)!);

  it.each(['e2e/golden/oft/unet/peft', 'e2e/golden/oft/unet/peft/adapter_model.safetensors'])(
    '%s gives PEFT’s output',
    async (adapter) => {
      const [from, to] = [join(folder, 'peft-in.safetensors'), join(folder, 'peft-out.safetensors')];
      writeFileSync(from, writeSafetensors(given));
      const model = 'e2e/golden/oft/unet/model.onnx';
      const { status, err, out } = await run(model, '--adapter', adapter, '--gradients', from, to);
      expect([status, err]).toEqual([0, '']);
      expect(out).toMatch(/^adapter: PEFT, \d+ layers, strength 1$/m);
      const found = readSafetensors(new Uint8Array(readFileSync(to))).tensors;
      expectNear('output', found.get('output.out_sample')!, want, 1e-4 + 1e-4 * largest(want));
      const file = tensors('oft/unet/peft/adapter_model.safetensors');
      for (const [key, t] of file) expect(found.get(`grad.adapter.${key}`)?.shape).toEqual(t.shape);
    },
  );
});

describe('plans', () => {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const layersOf = async (model: string, ...argv: string[]) => {
    const { status, out, err } = await run(model, '--json', ...argv);
    expect([status, err]).toEqual([0, '']);
    return JSON.parse(out) as {
      layers: { path: string; side: string; part?: string; count: number; state: string; share: number }[];
      left: string[];
      notes: string[];
      totals: { stored: number; base: number; lora: { rank: number; numbers: number } };
      tools: { tool: string; verdict: string }[];
      budget?: { asked: number; proposal: { stored: number; plan: object } };
    };
  };
  const model = 'e2e/golden/oft/trajectory_mlp.onnx';

  it('of PEFT and of kohya are read', async () => {
    const config = { peft_type: 'OFT', r: 2, oft_block_size: 0, target_modules: 'all-linear' };
    const input = await layersOf(model, '--plan', write('adapter_config.json', JSON.stringify(config)));
    expect(input.layers.length).toBeGreaterThan(0);
    for (const layer of input.layers) expect([layer.side, layer.count]).toEqual(['input', 2]);
    const kohya = await layersOf(
      'e2e/golden/oft/unet/model.onnx',
      '--plan',
      write('args.txt', 'network_args = ["algo=diag-oft", "dropout=0.1"]\nnetwork_dim = 4\n'),
    );
    expect(kohya.layers.every((l) => l.side === 'output')).toBe(true);
    expect(kohya.notes.length).toBeGreaterThan(0);
  });

  it('match the part that the model’s folder names', async () => {
    mkdirSync(join(folder, 'text_encoder'), { recursive: true });
    const encoder = join(folder, 'text_encoder/model.onnx');
    writeFileSync(encoder, encodeModel(linear()));
    const plan = write(
      'parts.toml',
      '[[rule]]\nmatch = { part = "unet" }\nskip = true\n[[rule]]\nmatch = { part = "text_encoder" }\nblocks = { count = 2 }\n',
    );
    const { layers } = await layersOf(encoder, '--plan', plan);
    expect(layers.map((l) => [l.part, l.count])).toEqual([['text_encoder', 2]]);
    const alone = join(folder, 'linear.onnx');
    writeFileSync(alone, encodeModel(linear()));
    const elsewhere = await layersOf(alone, '--plan', plan);
    expect(elsewhere.layers.map((l) => [l.part, l.count])).toEqual([[undefined, 4]]);
  });

  it('are counted against LoRA, and shrunk to a budget', async () => {
    const { layers, totals, budget, tools } = await layersOf(model, '--lora', '2', '--budget', '0.1k');
    expect(layers.reduce((sum, l) => sum + l.share, 0)).toBeCloseTo(1, 9);
    expect(totals.lora.rank).toBe(2);
    expect(budget!.asked).toBe(100);
    expect(budget!.proposal.stored).toBeLessThanOrEqual(100);
    expect(tools.map((t) => t.tool)).toEqual([
      'LyCORIS',
      'PEFT',
      'ComfyUI',
      'A1111 / Forge',
      'kohya sd-scripts',
      'OneTrainer',
    ]);
  });

  it('that cannot be asked for are refused in one line', async () => {
    const refusal = async (...argv: string[]): Promise<string> => {
      const { status, err } = await run(model, ...argv);
      expect(status).toBe(2);
      expect(err).toMatch(/^error: [^\n]+$/);
      return err;
    };
    expect(await refusal('--preset', 'attn-onli')).toMatch(/did you mean attn-only\?/);
    expect(await refusal('--preset', 'full', '--plan', 'p.toml')).toMatch(/give one of them/);
    expect(await refusal('--lora', '0')).toMatch(/whole number from 1/);
    expect(await refusal('--budget', 'little')).toMatch(/200k or 1.5M/);
    expect(await refusal('--adapter', 'scripts')).toMatch(/no .safetensors file in it/);
    expect(await refusal('--adapter', 'no/such')).toMatch(/there is no such file/);
  });
});
