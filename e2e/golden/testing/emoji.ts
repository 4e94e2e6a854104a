/** @file The built-in model as tests use it. */
import { readFileSync } from 'node:fs';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Graph } from '#src/graph/types.ts';
import { importGraph } from '#src/ops/import/import.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { type Layout, parameterLayout, writeParameters } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Plan } from '#src/oft/types.ts';

export const plan: Plan = {
  ...defaultSettings,
  rules: [],
};

export const emojiUnet = (batch: number): Graph =>
  importGraph(decodeModel(readFileSync('public/models/emoji/unet/model.onnx')), { batch });

/** All 133 layers under a plan. */
export const emojiLayout = (graph: Graph, over: Partial<Plan> = {}): Layout =>
  parameterLayout(planLayers(findLayers(graph), { ...plan, ...over }).planned);

export const lycorisKey = (path: string): string => `lycoris_${path.replaceAll('.', '_')}`;

/** The flat parameters of a LyCORIS file's tensors. */
export function thetaOf(layout: Layout, file: ReadonlyMap<string, Tensor>): Float32Array {
  return writeParameters(
    layout,
    new Map(
      layout.planned.map((p) => {
        const get = (name: string): Float32Array =>
          file.get(`${lycorisKey(p.layer.path)}.${name}`)?.data as Float32Array;
        return [p.layer.path, { blocks: get('oft_blocks'), rescale: get('rescale') }] as const;
      }),
    ),
  );
}

/** v-prediction on the squared-cosine schedule (Nichol & Dhariwal 2102.09672): x_t = √ᾱ x₀ + √(1−ᾱ) ε, v = √ᾱ ε − √(1−ᾱ) x₀. */
export function noised(
  x0: Float32Array,
  noise: Float32Array,
  timestep: readonly number[],
): { sample: Float32Array; target: Float32Array } {
  const bar = (t: number): number => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  // diffusers keeps betas and their running product in float32; 1 − ᾱ at small t shows it.
  const cumulative = new Float32Array(1000);
  let product = 1;
  for (let i = 0; i < 1000; i++) {
    const beta = Math.fround(Math.min(1 - bar((i + 1) / 1000) / bar(i / 1000), 0.999));
    cumulative[i] = product *= Math.fround(1 - beta);
  }
  const each = x0.length / timestep.length;
  const sample = new Float32Array(x0.length);
  const target = new Float32Array(x0.length);
  x0.forEach((x, i) => {
    const a = cumulative[timestep[Math.floor(i / each)]!]!;
    sample[i] = Math.sqrt(a) * x + Math.sqrt(1 - a) * noise[i]!;
    target[i] = Math.sqrt(a) * noise[i]! - Math.sqrt(1 - a) * x;
  });
  return { sample, target };
}
