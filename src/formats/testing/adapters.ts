/** @file Layers and adapters with numbers, for the tests of file formats. */
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { blockNumbers, defaultSettings, plannedLayer, widthOf } from '#src/oft/plan/planned.ts';
import type { Layer, LayerSettings } from '#src/oft/types.ts';

/** Uniform in [0, 1), the same after the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A linear layer, or with a kernel a convolution. */
export const testLayer = (path: string, width: number, out: number, over: Partial<Layer> = {}): Layer => {
  const kernel = over.kernel ?? [];
  return {
    path,
    kind: kernel.length > 0 ? 'conv' : 'linear',
    nodes: [path],
    initializer: `${path}.weight`,
    op: kernel.length > 0 ? 'Conv' : 'MatMul',
    in: width,
    out,
    kernel,
    stride: kernel.map(() => 1),
    groups: 1,
    transposed: kernel.length === 0,
    ...over,
  };
};

/** An adapter of one layer: `count` blocks under the settings, with random numbers of about `size`. */
export function testAdapter(
  layer: Layer,
  count: number,
  settings: Partial<LayerSettings>,
  random: () => number,
  { size = 0.3, stages = 1, share = false } = {},
): LayerParameters {
  const all = { ...defaultSettings, ...settings };
  const b = widthOf(layer, all.side) / count;
  const planned = plannedLayer(layer, all, { count, size: b, stages, share });
  const numbers = (n: number, middle: number): Float32Array =>
    Float32Array.from({ length: n }, () => middle + size * (2 * random() - 1));
  return {
    layer: planned,
    blocks: numbers(blockNumbers(planned), 0),
    ...(all.rescale && { rescale: numbers(layer.out, 1) }),
  };
}

/** Random base weights in torch's order, the same for a layer whenever asked. */
export const testWeight = (layer: Layer): Float32Array => {
  const random = seeded(layer.path.length * 7919 + layer.out);
  const fan = (layer.in / layer.groups) * layer.kernel.reduce((p, k) => p * k, 1);
  return Float32Array.from({ length: layer.out * fan }, () => 2 * random() - 1);
};
