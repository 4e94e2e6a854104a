import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builder } from '#src/ops/table.ts';
import type { Program } from '#src/program/types.ts';
import { runtimeError } from './errors.ts';
import { Mutex } from './mutex.ts';
import { predictedElsewhere } from './placement.ts';
import { createRuntime } from './runtime.ts';
import { convFeeds, convNet, frozen, mlp, mlpFeeds, twoStages } from './testing/programs.ts';
import type { Executable, Runtime } from './types.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ prefer: 'auto' });
});
afterAll(() => runtime.dispose());

async function losses(program: Executable, steps: number, feeds: typeof mlpFeeds): Promise<number[]> {
  const out: number[] = [];
  for (let i = 0; i < steps; i++) out.push(Number((await program.run(feeds, ['loss']))['loss']![0]));
  return out;
}

/** The MLP's losses by plain loops in float64. */
function referenceLosses(steps: number): number[] {
  const { x, target, rate } = mlpFeeds;
  const program = mlp();
  const w = new Float32Array((frozen([6, 8], 0.5, 1).data as { bytes: Uint8Array }).bytes.buffer);
  const v = Array.from(program.state[0]!.init);
  const out: number[] = [];
  for (let s = 0; s < steps; s++) {
    let loss = 0;
    const dv = v.map(() => 0);
    for (let b = 0; b < 4; b++) {
      const h = Array.from({ length: 8 }, (_, j) =>
        Math.tanh(Array.from({ length: 6 }, (_, k) => x[b * 6 + k]! * w[k * 8 + j]!).reduce((p, q) => p + q)),
      );
      for (let o = 0; o < 3; o++) {
        const d = h.reduce((sum, hj, j) => sum + hj * v[j * 3 + o]!, 0) - target[b * 3 + o]!;
        loss += (d * d) / 12;
        h.forEach((hj, j) => (dv[j * 3 + o]! += (2 * d * hj) / 12));
      }
    }
    out.push(loss);
    dv.forEach((d, i) => (v[i]! -= rate[0]! * d));
  }
  return out;
}

test('without WebGPU the backend is WebAssembly, and says why', async () => {
  expect(runtime.backend).toEqual({
    kind: 'wasm',
    reason: 'WebAssembly, because this browser has no WebGPU.',
    threads: 1,
    adapter: null,
  });
  await expect(createRuntime({ prefer: 'webgpu' })).rejects.toMatchObject({ code: 'session' });
  const asked = await createRuntime({ prefer: 'wasm' });
  expect(asked.backend.reason).toBe('WebAssembly, as asked for.');
});

describe('a training program', () => {
  test('carries its state from run to run', async () => {
    const program = await runtime.load(mlp());
    const found = await losses(program, 5, mlpFeeds);
    referenceLosses(5).forEach((expected, i) => expect(found[i]).toBeCloseTo(expected, 5));
    expect(found[4]).toBeLessThan(found[0]!);
    expect(program.placement()).toEqual({
      nodes: mlp().stages[0]!.graph.nodes.length,
      elsewhere: [],
    });
    await program.dispose();
  });

  test('gives the host only what is named', async () => {
    const program = await runtime.load(mlp());
    expect(await program.run(mlpFeeds)).toEqual({});
    const out = await program.run(mlpFeeds, ['loss', 'v.next']);
    expect(Object.keys(out)).toEqual(['loss', 'v.next']);
    const before = out['v.next']!.slice();
    expect((await program.readState())['v']).toEqual(before);
    await program.run(mlpFeeds);
    expect(out['v.next']).toEqual(before);
    await expect(program.run(mlpFeeds, ['w'])).rejects.toThrow('w is no output that this program offers');
    await program.dispose();
  });

  test('goes on from a state written back, bit for bit', async () => {
    const program = await runtime.load(mlp());
    await losses(program, 2, mlpFeeds);
    const saved = await program.readState();
    const expected = await losses(program, 3, mlpFeeds);
    const other = await runtime.load(mlp());
    await other.writeState(saved);
    expect(await losses(other, 3, mlpFeeds)).toEqual(expected);
    await program.writeState(saved);
    expect(await losses(program, 3, mlpFeeds)).toEqual(expected);
    await Promise.all([program.dispose(), other.dispose()]);
  });

  test('may be cut into stages', async () => {
    const whole = await runtime.load(mlp());
    const cut = await runtime.load(twoStages());
    const [a, b] = [await losses(whole, 4, mlpFeeds), await losses(cut, 4, mlpFeeds)];
    a.forEach((x, i) => expect(b[i]).toBeCloseTo(x, 6));
    await Promise.all([whole.dispose(), cut.dispose()]);
  });

  test('with convolutions learns', async () => {
    const program = await runtime.load(convNet());
    const found = await losses(program, 30, convFeeds);
    expect(found[29]).toBeLessThan(0.9 * found[0]!);
    await program.dispose();
  });

  test('runs that are started together run one after the other', async () => {
    const program = await runtime.load(mlp());
    const expected = referenceLosses(4);
    const together = await Promise.all([1, 2, 3, 4].map(() => program.run(mlpFeeds, ['loss'])));
    together.forEach((r, i) => expect(r['loss']![0]).toBeCloseTo(expected[i]!, 5));
    await program.dispose();
  });
});

describe('memory', () => {
  test('equal Constant objects are held once, and until the last user goes', async () => {
    const weight = frozen([6, 8], 0.5, 1);
    const idle = runtime.memory();
    const a = await runtime.load(mlp(weight));
    const b = await runtime.load(mlp(weight));
    const c = await runtime.load(mlp());
    expect(runtime.memory()).toEqual({
      weights: idle.weights + 2 * 6 * 8 * 4,
      state: idle.state + 3 * 8 * 3 * 4,
    });
    await a.dispose();
    expect(await losses(b, 2, mlpFeeds)).toEqual(await losses(c, 2, mlpFeeds));
    await b.dispose();
    await c.dispose();
    expect(runtime.memory()).toEqual(idle);
  });

  test('external weights are read one at a time', async () => {
    const bytes = (frozen([6, 8], 0.5, 1).data as { bytes: Uint8Array }).bytes;
    let open = 0;
    const external = async (location: string, offset: number, length: number) => {
      expect([location, open++]).toEqual(['model.data', 0]);
      await Promise.resolve();
      open--;
      return bytes.slice(offset - 64, offset - 64 + length);
    };
    const weight = {
      type: 'float32',
      shape: [6, 8],
      data: { kind: 'external', location: 'model.data', offset: 64, length: 192 },
    } as const;
    const program = await runtime.load(mlp(weight), external);
    const plain = await runtime.load(mlp());
    expect(await losses(program, 2, mlpFeeds)).toEqual(await losses(plain, 2, mlpFeeds));
    await program.dispose();
    const kept: Program = { ...mlp(weight), stages: mlp(weight).stages.map((s) => ({ ...s, weights: [] })) };
    const inside = await runtime.load(kept, external);
    expect(await losses(inside, 1, mlpFeeds)).toEqual([expect.closeTo(referenceLosses(1)[0]!, 5)]);
    await inside.dispose();
    await plain.dispose();
    const idle = runtime.memory();
    await expect(runtime.load(mlp(weight))).rejects.toThrow(
      /w lies in the file model.data, which was not given/,
    );
    await expect(runtime.load(mlp(weight), async () => new Uint8Array(7))).rejects.toThrow(
      /only 7 are there/,
    );
    expect(runtime.memory()).toEqual(idle);
  });
});

describe('errors', () => {
  test('name what is missing', async () => {
    const program = await runtime.load(mlp());
    const { x, rate } = mlpFeeds;
    await expect(program.run({ x, rate })).rejects.toThrow('The feed target is missing.');
    await expect(program.run({ x, rate, target: x })).rejects.toThrow(/target needs 12 values.*got 24/);
    await expect(program.writeState({ q: x })).rejects.toThrow('no state named q');
    await expect(program.writeState({ v: x.slice(1) })).rejects.toThrow(/needs 24 values.*got 23/);
    // None of that moved the state.
    expect((await program.readState())['v']).toEqual(mlp().state[0]!.init);
    await program.dispose();
    await program.dispose();
    await expect(program.run(mlpFeeds)).rejects.toThrow('already disposed');
  });

  test('a graph that onnxruntime refuses is a session error, and leaves nothing behind', async () => {
    const idle = runtime.memory();
    const good = mlp();
    const { graph } = good.stages[0]!;
    const broken = graph.nodes.map((n) => (n.op === 'Tanh' ? { ...n, op: 'Tanhh' } : n));
    const program = { ...good, stages: [{ ...good.stages[0]!, graph: { ...graph, nodes: broken } }] };
    await expect(runtime.load(program)).rejects.toMatchObject({
      code: 'session',
      message: expect.stringContaining('The computation "step" could not be prepared') as string,
    });
    await expect(runtime.load({ ...good, reads: ['nothing'] })).rejects.toThrow(
      'no stage'.replace('no', 'No'),
    );
    expect(runtime.memory()).toEqual(idle);
  });

  test.each([
    [new Error('failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc'), 'out-of-memory'],
    [new RangeError('Array buffer allocation failed'), 'out-of-memory'],
    [12345, 'out-of-memory'],
    [new Error('bad shape\nat line 2'), 'run'],
  ])('%s is %s', (thrown, code) => {
    const error = runtimeError(thrown, 'run', 'The run');
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('\n');
    expect(runtimeError(thrown, 'run', 'The run', 'unplugged').code).toBe('device-lost');
  });
});

test('nodes without a WebGPU kernel are predicted', () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 1, 4, 4]);
  const w = g.input('w', 'float32', [1, 1, 1, 2, 2]);
  const volume = g.reshape(x, [1, 1, 1, 4, 4]);
  g.output(g.emit('ConvTranspose', [volume, w], {}, { name: 'up' }));
  expect(predictedElsewhere(g.build())).toEqual([
    {
      node: 'up',
      op: 'ConvTranspose',
      device: 'CPU',
      reason: expect.stringContaining('float32[1,1,1,4,4]') as string,
    },
  ]);
});

test('a task that fails does not hold up the next', async () => {
  const mutex = new Mutex();
  const order: number[] = [];
  const slow = mutex.run(async () => {
    await new Promise((r) => setTimeout(r, 5));
    order.push(1);
    throw new Error('no');
  });
  const next = mutex.run(async () => order.push(2));
  await expect(slow).rejects.toThrow('no');
  await next;
  expect(order).toEqual([1, 2]);
});
