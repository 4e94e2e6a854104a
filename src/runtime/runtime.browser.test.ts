/** @file WebGPU (an emulated adapter: tiny programs only) against WebAssembly, in a browser. */
import { describe, expect, test } from 'vitest';
import { builder } from '#src/ops/table.ts';
import type { Program } from '#src/program/types.ts';
import { createRuntime } from './runtime.ts';
import { adapterFeeds, adapters } from './testing/adapters.ts';
import { convFeeds, convNet, frozen, mlp, mlpFeeds, twoStages, wave } from './testing/programs.ts';
import type { Runtime } from './types.ts';

const wasm = createRuntime({ prefer: 'wasm', threads: 1 });
const webgpu = createRuntime({ prefer: 'webgpu' });

type Feeds = Readonly<Record<string, Float32Array>>;

async function losses(runtime: Runtime, program: Program, feeds: Feeds, steps: number): Promise<number[]> {
  const loaded = await runtime.load(program);
  expect(loaded.placement().elsewhere).toEqual([]);
  const out: number[] = [];
  for (let i = 0; i < steps; i++) out.push(Number((await loaded.run(feeds, ['loss']))['loss']![0]));
  await loaded.dispose();
  return out;
}

test('auto does not take an emulated adapter', async () => {
  const runtime = await createRuntime({ prefer: 'auto' });
  expect(runtime.backend.kind).toBe('wasm');
  expect(runtime.backend.reason).toMatch(/emulated in software/);
  expect(runtime.backend.threads).toBe(crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1);
});

test('WebGPU is reported with its adapter', async () => {
  const { backend } = await webgpu;
  expect(backend.kind).toBe('webgpu');
  expect(backend.adapter).toBeTruthy();
});

describe('WebGPU and WebAssembly give the same losses', () => {
  test.each([
    ['MLP', mlp, mlpFeeds],
    ['MLP in two stages', twoStages, mlpFeeds],
    ['conv net with AdamW', convNet, convFeeds],
    ['one adapter of each kind', adapters, adapterFeeds],
  ])('%s, with no node on the CPU', async (_, program, feeds) => {
    const expected = await losses(await wasm, program(), feeds, 5);
    const found = await losses(await webgpu, program(), feeds, 5);
    expected.forEach((x, i) => expect(found[i]! / x).toBeCloseTo(1, 4));
    expect(expected[4]).toBeLessThan(expected[0]!);
  });
});

test('state on the GPU is read and written back bit for bit', async () => {
  const runtime = await webgpu;
  const program = await runtime.load(mlp());
  await program.run(mlpFeeds);
  const saved = await program.readState();
  expect(saved['v']).not.toEqual(mlp().state[0]!.init);
  const steps = async () => {
    const out = [];
    for (let i = 0; i < 3; i++) out.push(await program.run(mlpFeeds, ['loss', 'v.next']));
    return out;
  };
  const expected = await steps();
  expect((await program.readState())['v']).toEqual(expected[2]!['v.next']);
  await program.writeState(saved);
  expect(await program.readState()).toEqual(saved);
  expect(await steps()).toEqual(expected);
  await program.dispose();
});

test('runs that overlap are queued', async () => {
  const runtime = await webgpu;
  const [a, b] = await Promise.all([runtime.load(mlp()), runtime.load(mlp())]);
  const runs = await Promise.all([a, b, a, b].map((p) => p.run(mlpFeeds, ['loss'])));
  expect(runs[0]).toEqual(runs[1]);
  expect(runs[2]).toEqual(runs[3]);
  await Promise.all([a.dispose(), b.dispose()]);
});

test('programs share weights on the GPU', async () => {
  const runtime = await webgpu;
  const weight = frozen([6, 8], 0.5, 1);
  const idle = runtime.memory();
  const [a, b] = [await runtime.load(mlp(weight)), await runtime.load(mlp(weight))];
  expect(runtime.memory().weights - idle.weights).toBe(6 * 8 * 4);
  await a.dispose();
  const alone = await b.run(mlpFeeds, ['loss']);
  expect(Number(alone['loss']![0])).toBeGreaterThan(0);
  await b.dispose();
  expect(runtime.memory()).toEqual(idle);
});

test('a node that must run on the CPU is named', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 8]);
  const s = g.input('s', 'float32', [1, 8]);
  const rounded = g.emit('Round', [x], {}, { name: 'rounding' });
  g.output(g.add(rounded, s), 's.next');
  const runtime = await webgpu;
  const program = await runtime.load({
    stages: [{ name: 'step', graph: g.build(), weights: [] }],
    state: [{ name: 's', output: 's.next', type: 'float32', shape: [1, 8], init: new Float32Array(8) }],
    feeds: [{ name: 'x', type: 'float32', shape: [1, 8] }],
    reads: ['s.next'],
  });
  const { elsewhere } = program.placement();
  expect(elsewhere.map((e) => [e.node, e.op, e.device])).toEqual([['rounding', 'Round', 'CPU']]);
  const values = wave(8, 3);
  const out = await program.run({ x: values }, ['s.next']);
  expect(Array.from(out['s.next']!, Number)).toEqual(Array.from(values, Math.round));
  await program.dispose();
});

test('a lost device is told, and is what later runs fail with', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const runtime = await createRuntime({ prefer: 'webgpu', device });
  const program = await runtime.load(mlp());
  await program.run(mlpFeeds);
  device.destroy();
  expect(await runtime.lost).toBeTruthy();
  await expect(program.run(mlpFeeds, ['loss'])).rejects.toMatchObject({ code: 'device-lost' });
  await runtime.dispose();
  const again = await losses(await webgpu, mlp(), mlpFeeds, 1);
  expect(again[0]).toBeGreaterThan(0);
});
