/** @file Every kind of adapter on every kind of layer: the graph against the host's merged weight in float64, the gradient against finite differences, the routes against each other. */
import { describe, expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import type { Graph } from '#src/graph/types.ts';
import { constantOf, numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import type { Route } from './cost.ts';
import { drawDropout, hasDropout, keepLength } from '../rotation/dropout.ts';
import { insertAdapters } from './insert.ts';
import { findLayers } from '../layers/layers.ts';
import { mergeWeight } from './mergeWeight.ts';
import { initialParameters, type Layout, parameterLayout, readParameters } from '../rotation/parameters.ts';
import { defaultSettings, fanIn, peftSettings, plannedLayer } from '../plan/planned.ts';
import { emitRotations } from '../rotation/rotations.ts';
import { projectParameters } from '../rotation/skew.ts';
import type { Layer, LayerSettings, PlannedLayer } from '../types.ts';

/** Numbers in [−1, 1) that only (seed, i) decides. */
const noise = (seed: number, n: number, scale = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return Math.fround(scale * (2 * (x - Math.floor(x)) - 1));
  });
const random = (seed: number, shape: number[], scale = 1): Tensor => {
  const n = shape.reduce((p, d) => p * d, 1);
  return { type: 'float32', shape, data: noise(seed, n, scale) };
};

interface LayerCase {
  readonly name: string;
  /** In torch's order. */
  readonly weight: number[];
  readonly x: number[];
  readonly form: 'Gemm' | 'MatMul' | 'Conv';
  readonly stride?: number;
  readonly pad?: number;
  readonly groups?: number;
}
const layers: LayerCase[] = [
  { name: 'Gemm', weight: [12, 8], x: [5, 8], form: 'Gemm' },
  { name: 'MatMul of rank 3', weight: [12, 8], x: [2, 3, 8], form: 'MatMul' },
  { name: 'conv 1×1', weight: [12, 8, 1, 1], x: [2, 8, 3, 2], form: 'Conv' },
  { name: 'conv 1×1 stride 2', weight: [12, 8, 1, 1], x: [1, 8, 4, 4], form: 'Conv', stride: 2 },
  { name: 'conv 3×3 stride 2', weight: [12, 4, 3, 3], x: [2, 4, 5, 5], form: 'Conv', stride: 2, pad: 1 },
  { name: 'grouped conv 3×3', weight: [12, 4, 3, 3], x: [2, 8, 3, 3], form: 'Conv', pad: 1, groups: 2 },
  { name: 'grouped conv 1×1', weight: [12, 4, 1, 1], x: [2, 8, 3, 3], form: 'Conv', groups: 2 },
  { name: 'depthwise conv', weight: [12, 1, 3, 3], x: [1, 12, 4, 4], form: 'Conv', pad: 1, groups: 12 },
  { name: 'conv 1-D', weight: [12, 4, 3], x: [2, 4, 6], form: 'Conv', pad: 1 },
];

function base(c: LayerCase): Graph {
  const g = builder();
  const x = g.input('x', 'float32', c.x);
  const bias = g.initializer('bias', constantOf(random(3, [c.weight[0]!])));
  const w = random(2, c.weight);
  if (c.form === 'Conv') {
    const rank = c.weight.length - 2;
    const all = (v: number): number[] => Array<number>(rank).fill(v);
    g.output(
      g.emit(
        'Conv',
        [x, g.initializer('layer.weight', constantOf(w)), bias],
        {
          kernel_shape: c.weight.slice(2),
          strides: all(c.stride ?? 1),
          pads: [...all(c.pad ?? 0), ...all(c.pad ?? 0)],
          dilations: all(1),
          group: c.groups ?? 1,
        },
        { name: 'Conv' },
      ),
      'y',
    );
  } else if (c.form === 'Gemm') {
    const weight = g.initializer('layer.weight', constantOf(w));
    g.output(g.emit('Gemm', [x, weight, bias], { transB: 1, beta: 0.5 }, { name: 'Gemm' }), 'y');
  } else {
    const [out, inner] = c.weight as [number, number];
    const values = numbersOf(w);
    const flipped = values.map((_, i) => values[(i % out) * inner + Math.floor(i / out)]!);
    const weight = g.initializer('layer.weight', constantOf(tensor('float32', [inner, out], flipped)));
    g.output(g.add(g.emit('MatMul', [x, weight], {}, { name: 'MatMul' }), bias), 'y');
  }
  return g.build();
}

interface Setting {
  readonly name: string;
  readonly settings: Partial<LayerSettings>;
  /** null: this layer does not take it. */
  readonly blocks: (layer: Layer) => Parameters<typeof plannedLayer>[2] | null;
}
const input: Partial<LayerSettings> = { ...peftSettings };
const square = (layer: Layer): number => layer.kernel.reduce((p, k) => p * k, 1);
const settings: Setting[] = [
  { name: 'Diag-OFT', settings: {}, blocks: () => ({ count: 3, size: 4 }) },
  {
    name: 'Diag-OFT, shared, triangle',
    settings: { parameters: 'triangle' },
    blocks: () => ({ count: 2, size: 6, share: true }),
  },
  {
    name: 'Diag-OFT across groups, rescaled',
    settings: { rescale: true },
    blocks: () => ({ count: 1, size: 12 }),
  },
  {
    name: 'BOFT, 2 stages, rescaled',
    settings: { algorithm: 'boft', rescale: true },
    blocks: () => ({ count: 6, size: 2, stages: 2 }),
  },
  {
    name: 'BOFT, 1 stage, shared',
    settings: { algorithm: 'boft' },
    blocks: () => ({ count: 3, size: 4, stages: 1, share: true }),
  },
  { name: 'LyCORIS’s clamp', settings: { constraint: 0.02 }, blocks: () => ({ count: 3, size: 4 }) },
  {
    name: 'ComfyUI’s clamp',
    settings: { constraint: 0.3, clamp: 'comfyui' },
    blocks: () => ({ count: 3, size: 4 }),
  },
  {
    name: 'the paper’s clamp',
    settings: { constraint: 0.01, clamp: 'paper' },
    blocks: () => ({ count: 3, size: 4 }),
  },
  { name: 'input side, series', settings: input, blocks: (l) => ({ count: 1, size: fanIn(l) }) },
  {
    name: 'input side, exact',
    settings: { ...input, neumannTerms: null },
    blocks: (l) => (fanIn(l) % 4 === 0 ? { count: fanIn(l) / 4, size: 4 } : null),
  },
  {
    name: 'input side, exact, shared, rescaled',
    settings: { ...input, neumannTerms: null, rescale: true, parameters: 'full' },
    blocks: (l) => (fanIn(l) % 4 === 0 ? { count: fanIn(l) / 4, size: 4, share: true } : null),
  },
  {
    name: 'PEFT’s clamp',
    settings: { ...input, neumannTerms: 3, constraint: 0.1 },
    blocks: (l) => (fanIn(l) % 2 === 0 ? { count: fanIn(l) / 2, size: 2 } : null),
  },
  {
    name: 'per channel',
    settings: { ...input, neumannTerms: null },
    blocks: (l) => (square(l) > 1 ? { count: fanIn(l) / square(l), size: square(l) } : null),
  },
  {
    name: 'per channel, shared',
    settings: { ...input, neumannTerms: null },
    blocks: (l) => (square(l) > 1 ? { count: fanIn(l) / square(l), size: square(l), share: true } : null),
  },
  { name: 'dropout', settings: { rankDropout: 0.5, rescale: true }, blocks: () => ({ count: 3, size: 4 }) },
];

interface Result {
  readonly y: Float32Array;
  readonly dx: Float32Array;
  readonly dTheta: Float32Array;
  readonly projected: Float32Array;
}

async function run(
  c: LayerCase,
  layout: Layout,
  theta: Float32Array,
  dy: Tensor,
  keep: Float32Array,
  route: Route,
): Promise<Result> {
  const graph = base(c);
  const g = builder();
  g.startFrom(graph);
  const vector = g.input('theta', 'float32', [layout.size]);
  const projected = projectParameters(g, layout, vector);
  const mask = hasDropout(layout) ? g.input('keep', 'float32', [keepLength(layout)]) : null;
  const rotations = emitRotations(g, layout, projected, { rounds: 14, keep: mask });
  insertAdapters(g, graph, layout, rotations.layers, route);
  const cotangent = g.input('dy', 'float32', dy.shape);
  const [dx, ...rest] = backward(g, new Map([['y', cotangent]]), [g.value('x'), ...rotations.segments]);
  g.output(g.value('y'));
  g.output(dx!, 'dx');
  g.output(g.emit('Identity', [projected]), 'projected');
  g.output(
    g.concat(
      rest.map((x) => x!),
      0,
    ),
    'dtheta',
  );
  const out = await runGraph(g.build(), {
    x: random(1, c.x),
    theta: { type: 'float32', shape: [layout.size], data: theta },
    dy,
    ...(mask && { keep: { type: 'float32', shape: [keep.length], data: keep } }),
  });
  const data = (name: string): Float32Array => out[name]!.data as Float32Array;
  return { y: data('y'), dx: data('dx'), dTheta: data('dtheta'), projected: data('projected') };
}

/** Σ dy·y of the layer with the host's merged weight, and y, without the graph: plain loops. */
function onHost(
  c: LayerCase,
  layout: Layout,
  theta: Float32Array,
  dy: Tensor,
): { loss: number; y: Float64Array } {
  const parameters = readParameters(layout, theta)[0]!;
  const weight = mergeWeight(parameters, numbersAsFloat(random(2, c.weight)));
  const bias = random(3, [c.weight[0]!]).data as Float32Array;
  const x = random(1, c.x).data as Float32Array;
  const y = new Float64Array(dy.data.length);
  const out = c.weight[0]!;
  if (c.form !== 'Conv') {
    const inner = c.weight[1]!;
    const scale = c.form === 'Gemm' ? 0.5 : 1;
    for (let t = 0; t < y.length / out; t++)
      for (let o = 0; o < out; o++) {
        let sum = scale * bias[o]!;
        for (let i = 0; i < inner; i++) sum += weight[o * inner + i]! * x[t * inner + i]!;
        y[t * out + o] = sum;
      }
  } else {
    const [, per, kh, kw = 1] = c.weight as [number, number, number, number?];
    const [batch, channels, height, width = 1] = c.x as [number, number, number, number?];
    const oneD = c.weight.length === 3;
    const [, , oh, ow = 1] = dy.shape as [number, number, number, number?];
    const [s, p, groups] = [c.stride ?? 1, c.pad ?? 0, c.groups ?? 1];
    for (let b = 0; b < batch; b++)
      for (let o = 0; o < out; o++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++) {
            let sum = bias[o]!;
            const first = Math.floor(o / (out / groups)) * per;
            for (let q = 0; q < per; q++)
              for (let u = 0; u < kh; u++)
                for (let v = 0; v < kw; v++) {
                  const [r, k] = [i * s + u - p, oneD ? 0 : j * s + v - p];
                  if (r < 0 || r >= height || k < 0 || k >= width) continue;
                  sum +=
                    weight[((o * per + q) * kh + u) * kw + v]! *
                    x[((b * channels + first + q) * height + r) * width + k]!;
                }
            y[((b * out + o) * oh + i) * ow + j] = sum;
          }
  }
  return { loss: y.reduce((sum, value, i) => sum + value * (dy.data[i] as number), 0), y };
}
const numbersAsFloat = (t: Tensor): Float32Array => t.data as Float32Array;

const near = (what: string, got: ArrayLike<number>, want: ArrayLike<number>, share: number): void => {
  const scale = Array.from(want).reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
  let worst = 0;
  for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(got[i]! - want[i]!));
  expect(got.length).toBe(want.length);
  expect(worst / scale, what).toBeLessThan(share);
};

function planned(layer: Layer, s: Setting): PlannedLayer | null {
  const blocks = s.blocks(layer);
  return blocks && plannedLayer(layer, { ...defaultSettings, ...s.settings }, blocks);
}

describe.each(layers.map((c) => [c.name, c] as const))('%s', (_, c) => {
  const [layer] = findLayers(base(c));
  const taken = settings.flatMap((s) => {
    const p = planned(layer!, s);
    return p ? [[s.name, p] as const] : [];
  });
  it.each(taken)('%s', async (_name, p) => {
    const layout = parameterLayout([p]);
    const theta = initialParameters(layout);
    noise(7, theta.length, 0.4).forEach((v, i) => (theta[i]! += v));
    const shape = base(c).outputs[0]!.shape as number[];
    const dy = random(5, shape);
    let draw = 0;
    const keep = drawDropout(layout, () => [0.1, 0.9, 0.6][draw++ % 3]!);
    const byWeight = await run(c, layout, theta, dy, keep, 'weight');
    for (const route of ['gram', 'activation'] as const) {
      const other = await run(c, layout, theta, dy, keep, route);
      near(`${route}: y`, other.y, byWeight.y, 3e-6);
      near(`${route}: dx`, other.dx, byWeight.dx, 3e-6);
      near(`${route}: dtheta`, other.dTheta, byWeight.dTheta, 1e-5);
    }
    // What dropout leaves out is not there at all: zero blocks give the same output.
    const start = byWeight.projected.slice();
    if (p.rankDropout > 0)
      for (let k = 0; k < p.count; k++)
        if (keep[k] === 0) start.fill(0, k * p.size ** 2, (k + 1) * p.size ** 2);
    near('y', byWeight.y, onHost(c, layout, start, dy).y, 3e-6);
    const h = 5e-3;
    const slopes = Array.from(theta, (_value, i) => {
      if (p.rankDropout > 0 && i < p.count * p.size ** 2 && keep[Math.floor(i / p.size ** 2)] === 0) return 0;
      // Clamps that project in place pass no gradient: the slope is that of the projected numbers as they stand.
      const free = p.clamp === 'peft' || p.clamp === 'paper' ? { ...p, constraint: 0 } : p;
      const at = (d: number): number => {
        const moved = start.slice();
        moved[i]! += d;
        return onHost(c, parameterLayout([free]), moved, dy).loss;
      };
      return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    });
    near('finite differences', byWeight.dTheta, slopes, 4e-4);
  });
});

it('finds the dilation of a convolution, where there is one', () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 2, 8, 8]);
  const w = g.initializer('dilated.weight', constantOf(random(2, [4, 2, 3, 3])));
  g.output(g.emit('Conv', [x, w], { kernel_shape: [3, 3], dilations: [2, 2] }, { name: 'dilated' }), 'y');
  expect(findLayers(g.build())[0]!.dilation).toEqual([2, 2]);
  expect(findLayers(base(layers[2]!))[0]!.dilation).toBeUndefined();
});

it('refuses a layer that gets no values, by name', () => {
  const g = builder();
  const x = g.input('x', 'float32', [0, 8]);
  const w = g.initializer('fc.weight', constantOf(random(2, [8, 8])));
  g.output(g.emit('MatMul', [x, w], {}, { name: 'fc' }), 'y');
  const graph = g.build();
  const [layer] = findLayers(graph);
  const layout = parameterLayout([plannedLayer(layer!, defaultSettings, { count: 2, size: 4 })]);
  const h = builder();
  h.startFrom(graph);
  const theta = projectParameters(h, layout, h.input('theta', 'float32', [layout.size]));
  const { layers: rotations } = emitRotations(h, layout, theta, { rounds: 4 });
  expect(() => insertAdapters(h, graph, layout, rotations)).toThrow(/fc gets no values.*\[0, 8\].*1 or more/);
});
