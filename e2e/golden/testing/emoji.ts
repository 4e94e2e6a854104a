/** @file The built-in model as tests use it. */
import { readFileSync } from 'node:fs';
import { defaultSettings } from '#src/oft/planned.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Graph } from '#src/graph/types.ts';
import { importGraph } from '#src/ops/import.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { findLayers } from '#src/oft/layers.ts';
import { type Layout, parameterLayout, writeParameters } from '#src/oft/parameters.ts';
import { planLayers } from '#src/oft/rules.ts';
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
