/** @file Layers of real models for tests of layer selection: the tiny diffusers UNet, and CLIP's text encoder. */
import { readFileSync } from 'node:fs';
import { decodeModel } from '#src/onnx/decode.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { linear } from '#src/oft/testing/layers.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';

const file = (path: string): Uint8Array => readFileSync(new URL(`../../../${path}`, import.meta.url));

/** A JSON fixture of ours; the caller says what it holds. */
export const golden = (path: string): unknown =>
  JSON.parse(new TextDecoder().decode(file(`e2e/golden/${path}`)));

let unet: readonly Layer[] | undefined;

/** All 83 layers of the tiny UNet of e2e/golden/oft/unet. */
export const unetLayers = (): readonly Layer[] =>
  (unet ??= findLayers(importGraph(decodeModel(file('e2e/golden/oft/unet/model.onnx')), {})));

/** A CLIP text encoder of two layers, as transformers names them (from version 5 on without `text_model.`). */
export const clipLayers = (prefix = ''): Layer[] =>
  [0, 1].flatMap((i) =>
    [
      'self_attn.k_proj',
      'self_attn.v_proj',
      'self_attn.q_proj',
      'self_attn.out_proj',
      'mlp.fc1',
      'mlp.fc2',
    ].map((name): Layer => {
      const path = `${prefix}encoder.layers.${i}.${name}`;
      return linear(path, name === 'mlp.fc1' ? 64 : 32, {
        in: name === 'mlp.fc2' ? 64 : 32,
        part: 'text_encoder',
      });
    }),
  );

/** The layers that a plan adapts, by path. */
export const selected = (layers: readonly Layer[], plan: Plan): Map<string, PlannedLayer> =>
  new Map(planLayers(layers, plan).planned.map((p) => [p.layer.path, p]));
