/** @file Layers and settings for tests, without a model. */
import { defaultSettings } from '../plan/planned.ts';
import type { Layer, LayerSettings, Plan } from '../types.ts';

export const linear = (path: string, out: number, over: Partial<Layer> = {}): Layer => ({
  path,
  kind: 'linear',
  nodes: [path],
  initializer: `${path}.weight`,
  op: 'Gemm',
  in: 16,
  out,
  kernel: [],
  stride: [],
  groups: 1,
  transposed: false,
  ...over,
});

export const conv = (
  path: string,
  out: number,
  k: number | readonly number[] = 3,
  over: Partial<Layer> = {},
): Layer => {
  const kernel = typeof k === 'number' ? [k, k] : k;
  return {
    ...linear(path, out),
    kind: 'conv',
    op: 'Conv',
    kernel,
    stride: kernel.map(() => 1),
    ...over,
  };
};

export const settings = (over: Partial<LayerSettings> = {}): LayerSettings => ({
  ...defaultSettings,
  ...over,
});

export const plan = (over: Partial<Plan> = {}): Plan => ({ ...defaultSettings, rules: [], ...over });
