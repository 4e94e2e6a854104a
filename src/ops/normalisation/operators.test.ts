import { expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { float } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { builder, operators } from '../table.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { runGraph } from '../testing/runGraph.ts';

const emit =
  (op: string, attributes = {}) =>
  (g: Builder, inputs: Value[]): Value =>
    g.emit(op, inputs, attributes);

const subsets = (n: number): boolean[][] =>
  Array.from({ length: 2 ** n - 1 }, (_, k) =>
    Array.from({ length: n }, (_x, i) => (((k + 1) >> i) & 1) === 1),
  );

test.each(['Softmax', 'LogSoftmax'].flatMap((op) => [-1, 0, 1, 2].map((axis) => [op, axis] as const)))(
  '%s over axis %d',
  async (op, axis) => {
    await checkGradient({ build: emit(op, { axis }), inputs: [{ shape: [2, 3, 4], range: [-3, 3] }] });
  },
);

test('the gradient of Softmax is four nodes', async () => {
  const { emitted } = await checkGradient({ build: emit('Softmax'), inputs: [{ shape: [2, 5] }] });
  expect(emitted.map((n) => n.op)).toEqual(['Mul', 'ReduceSum', 'Sub', 'Mul']);
});

test.each([0, 1, 2, -1])('Softmax before opset 13 normalises over all axes from %d on', async (axis) => {
  const g = builder();
  const shape = [2, 2, 3];
  const values = [1, 2, 3, 0, -1, 2, 0.5, 1, 1, 3, 2, 1];
  g.input('x', 'float32', shape);
  const old = {
    op: 'Softmax',
    domain: '',
    name: 'old',
    inputs: ['x'],
    outputs: ['y'],
    attributes: { axis: { kind: 'int', value: axis } as const },
  };
  const [y] = g.append(operators.Softmax!.convert!(old, 11, g));
  const out = numbersOf((await runGraph(g.build([y!]), { x: tensor('float32', shape, values) })).y!);
  const row = shape.slice(axis < 0 ? axis + 3 : axis).reduce((a, b) => a * b);
  for (let start = 0; start < 12; start += row) {
    const e = values.slice(start, start + row).map(Math.exp);
    const total = e.reduce((a, b) => a + b);
    e.forEach((v, i) => expect(out[start + i]).toBeCloseTo(v / total, 5));
  }
});

test.each(['float64', 'float32'] as const)('LayerNormalization in %s', async (type) => {
  const inputs = [{ shape: [2, 3, 6] }, { shape: [6] }, { shape: [6] }];
  for (const wants of subsets(3))
    await checkGradient({ build: emit('LayerNormalization'), inputs, wants, type, directions: 2 });
  await checkGradient({ build: emit('LayerNormalization'), inputs: inputs.slice(0, 2), type });
  await checkGradient({
    build: emit('LayerNormalization', { axis: 1, epsilon: float(0.1) }),
    inputs: [{ shape: [3, 2, 4] }, { shape: [2, 4] }, { shape: [2, 4] }],
    type,
  });
});

test('LayerNormalization takes its statistics from the forward pass', async () => {
  const shapes = [{ shape: [2, 6] }, { shape: [6] }, { shape: [6] }];
  const check = (wants: boolean[]) =>
    checkGradient({ build: emit('LayerNormalization'), inputs: shapes, wants, type: 'float32' });
  const { emitted, graph } = await check([true, true, true]);
  expect(emitted.map((n) => n.op)).not.toContain('LayerNormalization');
  expect(graph.nodes.find((n) => n.op === 'LayerNormalization')!.outputs).toHaveLength(3);
  expect((await check([true, false, false])).emitted).toHaveLength(10);
  const bias = await check([false, false, true]);
  expect(bias.graph.nodes.find((n) => n.op === 'LayerNormalization')!.outputs).toHaveLength(1);
});

test.each(['float64', 'float32'] as const)('RMS normalisation in %s', async (type) => {
  await checkGradient({
    build: emit('SimplifiedLayerNormalization', { axis: -1, epsilon: float(1e-3), stash_type: 1 }),
    inputs: [{ shape: [2, 3, 6] }, { shape: [6] }],
    type,
  });
});

test('RMSNormalization becomes the operator that the runtime has', () => {
  const g = builder();
  g.input('x', 'float32', [2, 4]);
  g.input('s', 'float32', [4]);
  const node = {
    op: 'RMSNormalization',
    domain: '',
    name: '',
    inputs: ['x', 's'],
    outputs: ['y'],
    attributes: {},
  };
  const [y] = g.append(operators.RMSNormalization!.convert!(node, 23, g));
  expect(g.nodes[0]!.op).toBe('SimplifiedLayerNormalization');
  expect(y!.shape).toEqual([2, 4]);
});

test.each([[[2, 3, 8]], [[2, 3, 3, 4]], [[1, 3, 2, 3, 2]]])('InstanceNormalization of %j', async (shape) => {
  const inputs = [{ shape }, { shape: [3] }, { shape: [3] }];
  for (const wants of subsets(3))
    await checkGradient({ build: emit('InstanceNormalization'), inputs, wants, directions: 2 });
});

const plain = (g: Builder, [x]: Value[]): Value => {
  const c = x!.shape[1]!;
  const filled = (v: number): Value => g.constant(tensor(x!.type, [c], Array<number>(c).fill(v)));
  return g.emit('InstanceNormalization', [x!, filled(1), filled(0)]);
};

test('InstanceNormalization by ones and zeros uses its output and multiplies by no scale', async () => {
  const { emitted } = await checkGradient({ build: plain, inputs: [{ shape: [2, 3, 8] }] });
  expect(emitted.filter((n) => n.op === 'Div')).toHaveLength(1);
  expect(emitted).toHaveLength(13);
});

const group = emit('GroupNormalization', { num_groups: 2, epsilon: float(0.3) });
const lowered = (g: Builder, inputs: Value[]): Value => {
  const attributes = { num_groups: { kind: 'int', value: 2 }, epsilon: float(0.3) } as const;
  const node = {
    op: 'GroupNormalization',
    domain: '',
    name: 'n',
    inputs: inputs.map((v) => v.name),
    outputs: [],
    attributes,
  };
  return operators.GroupNormalization!.lower!(g, node, inputs)![0]!;
};

test.each([
  ['as one node', group],
  ['lowered', lowered],
])('GroupNormalization %s', async (_, build) => {
  for (const shape of [
    [2, 4, 6],
    [1, 4, 2, 3],
    [2, 4],
  ])
    await checkGradient({ build, inputs: [{ shape }, { shape: [4] }, { shape: [4] }], directions: 2 });
});

test('GroupNormalization-18’s scale per group is spread over the channels', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 4, 3]);
  g.input('s', 'float32', [2]);
  g.input('b', 'float32', [2]);
  const attributes = { num_groups: { kind: 'int', value: 2 } } as const;
  const old = {
    op: 'GroupNormalization',
    domain: '',
    name: 'n',
    inputs: ['x', 's', 'b'],
    outputs: ['y'],
    attributes,
  };
  const [y] = g.append(operators.GroupNormalization!.convert!(old, 18, g));
  const feeds: Record<string, Tensor> = {
    x: tensor('float32', x.shape, [1, 2, 3, 4, 5, 6, -1, 0, 1, 2, 3, 7]),
    s: tensor('float32', [2], [2, -1]),
    b: tensor('float32', [2], [0.5, 3]),
  };
  const out = numbersOf((await runGraph(g.build([y!]), feeds)).y!);
  const values = numbersOf(feeds.x!);
  for (const k of [0, 1]) {
    const part = values.slice(6 * k, 6 * k + 6);
    const mean = part.reduce((a, b) => a + b) / 6;
    const deviation = Math.sqrt(part.reduce((a, b) => a + (b - mean) ** 2, 0) / 6 + 1e-5);
    part.forEach((v, i) =>
      expect(out[6 * k + i]).toBeCloseTo(((v - mean) / deviation) * [2, -1][k]! + [0.5, 3][k]!, 4),
    );
  }
});

test.each([[[2, 3, 4]], [[4, 3]], [[2, 3, 2, 2]]])('BatchNormalization of %j', async (shape) => {
  const channel = { shape: [3] };
  await checkGradient({
    build: emit('BatchNormalization'),
    inputs: [{ shape }, channel, channel, channel, { shape: [3], range: [0.5, 2] }],
  });
  await checkGradient({
    build: emit('BatchNormalization'),
    inputs: [{ shape }, channel, channel, channel, { shape: [3], range: [0.5, 2] }],
    wants: [true, false, true, false, false],
  });
});

test('BatchNormalization in training mode is refused with the way out', () => {
  const g = builder();
  const x = g.input('x', 'float32', [2, 3]);
  const v = g.input('v', 'float32', [3]);
  expect(() => g.emit('BatchNormalization', [x, v, v, v, v], { training_mode: 1 })).toThrow(
    /model\.eval\(\)/,
  );
});

test('statistics of many elements far from zero stay accurate', async () => {
  const g = builder();
  const shape = [1, 1, 256, 256];
  const x = g.input('x', 'float32', shape);
  const y = plain(g, [x]);
  const dy = g.input('dy', 'float32', shape);
  const [dx] = backward(g, new Map([[y.name, dy]]), [x]);
  const n = 65536;
  const data = Float64Array.from({ length: n }, (_, i) => 20 + Math.sin(i * 0.7));
  const cotangent = Float64Array.from({ length: n }, (_, i) => Math.cos(i * 0.31) + 0.2 * Math.sin(i * 0.7));
  const mean = (v: Float64Array): number => v.reduce((a, b) => a + b) / n;
  const rounded = Float64Array.from(Float32Array.from(data));
  const centre = mean(rounded);
  const deviation = Math.sqrt(mean(rounded.map((v) => (v - centre) ** 2)) + 1e-5);
  const xhat = rounded.map((v) => (v - centre) / deviation);
  const m1 = mean(cotangent);
  const m2 = mean(cotangent.map((v, i) => v * xhat[i]!));
  const out = await runGraph(g.build([dx!]), {
    x: { type: 'float32', shape, data: Float32Array.from(data) },
    dy: { type: 'float32', shape, data: Float32Array.from(cotangent) },
  });
  const worst = numbersOf(out[dx!.name]!).reduce(
    (w, v, i) => Math.max(w, Math.abs(v - (cotangent[i]! - m1 - xhat[i]! * m2) / deviation)),
    0,
  );
  expect(worst).toBeLessThan(1e-5);
});
