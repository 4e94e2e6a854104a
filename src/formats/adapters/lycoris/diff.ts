/** @file Whole weight differences: `{prefix}_{module path with _}.diff` in the weight's own shape, read by LyCORIS, ComfyUI and A1111. */
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import type { ReadAdapter } from '../adapterTypes.ts';
import { Misfit } from '../../errors.ts';
import { type Fit, FitBuilder } from '../fit.ts';
import { toFloat32 } from '../../files/floats.ts';
import { KeyedTensors } from '../keyedTensors.ts';
import { kohyaFile, largestBlock } from '../kohya/kohyaFile.ts';
import type { LycorisMeta } from './lycorisMeta.ts';
import type { Safetensors } from '../../files/safetensors.ts';

/** What differences lose: nothing but size and the way a strength is applied. */
export function diffFit(planned: readonly PlannedLayer[]): Fit {
  const numbers = planned.reduce((n, p) => n + sizeOf(torchShape(p.layer)), 0);
  return new FitBuilder(planned)
    .loss(
      () => true,
      () =>
        `The file holds whole weights (${Math.max(1, Math.round((numbers * 4) / 1e6))} MB) and cannot be trained on as a rotation.`,
    )
    .loss(
      (p) => p.stages > 1 || p.rescale,
      (which) =>
        `At a strength other than 1, the weights of ${which} are mixed from old and new ones, where LyCORIS would turn each stage less and keep the rescale whole.`,
    );
}

/** The weight's shape in torch. */
export const torchShape = (layer: Layer): number[] =>
  layer.kind === 'embedding' ? [layer.in, layer.out] : [layer.out, layer.in / layer.groups, ...layer.kernel];

/**
 * W′ − W of every layer, F32.
 * @param weight the base weight in torch's order
 * @throws FormatError where lengths do not fit, or two layers would get one name.
 */
export async function writeDiff(
  layers: readonly LayerParameters[],
  weight: (layer: Layer) => Float32Array,
  meta: LycorisMeta = {},
): Promise<Uint8Array> {
  const planned = layers.map((l) => l.layer);
  const network = {
    module: 'lycoris.kohya',
    dim: largestBlock(planned),
    args: { algo: 'full', preset: 'full' },
  };
  return kohyaFile('diff', layers, meta, network, (parameters) => {
    const { layer } = parameters.layer;
    const base = baseWeight(layer, weight);
    const merged = mergeWeight(parameters, base);
    for (let i = 0; i < merged.length; i++) merged[i]! -= base[i]!;
    return { diff: { type: 'float32', shape: torchShape(layer), data: merged } };
  });
}

/** The weight, its length checked. */
export function baseWeight(layer: Layer, weight: (layer: Layer) => Float32Array): Float32Array {
  const base = weight(layer);
  if (base.length !== sizeOf(torchShape(layer)))
    throw new Misfit(
      `${layer.path} takes ${sizeOf(torchShape(layer))} weights, but ${base.length} were given.`,
    );
  return base;
}

/** Reads a file of differences. Throws FormatError where a shape does not fit or no layer is found. */
export function readDiff({ tensors, metadata }: Safetensors, layers: readonly Layer[]): ReadAdapter {
  const file = new KeyedTensors(tensors, ['diff'], layers);
  const differences = new Map<string, Float32Array>();
  for (const [layer, stem] of file.names.stems) {
    const key = `${stem}.diff`;
    const t = file.demand(key);
    if (!t) continue;
    const wanted = torchShape(layer);
    // Some tools keep a 1×1 convolution as a matrix, or the other way round.
    const plain = (shape: readonly number[]): string => shape.filter((d, i) => i < 2 || d !== 1).join();
    if (plain(t.shape) !== plain(wanted))
      throw new Misfit(
        `${key} has shape [${t.shape.join()}], but the weight of ${layer.path} is [${wanted.join()}].`,
      );
    differences.set(layer.path, toFloat32(t, key));
  }
  const { missing, unexpected } = file;
  const notes = ['Whole weight differences can be applied, but not trained on: they are no rotation.'];
  if (unexpected.some((key) => key.endsWith('.diff_b')))
    notes.push('The file also changes biases (.diff_b); they are left out.');
  return { layers: [], differences, missing, unexpected, notes, metadata };
}
