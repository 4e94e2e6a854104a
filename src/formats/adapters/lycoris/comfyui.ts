/**
 * @file Adapters that ComfyUI and A1111 apply as they were trained: constraint baked into the blocks, alpha 0, and rescaled Diag-OFT
 * re-encoded as one BOFT stage, since ComfyUI ignores `rescale` beside three-axis blocks.
 */
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { fullBlocks, isClamped } from '../blockNumbers.ts';
import { paired, toButterfly } from './butterfly.ts';
import { demandFit, type Fit, FitBuilder } from '../fit.ts';
import { networkArgs, outputSideOnly, seriesLost, sharedWrittenOut, turning } from './lycoris.ts';
import { kohyaFile, largestBlock } from '../kohya/kohyaFile.ts';
import type { LycorisMeta } from './lycorisMeta.ts';

/** Rescaled Diag-OFT that can be re-encoded: with even blocks, or an even number of odd ones, which then join in pairs. */
const reencodes = (p: PlannedLayer): boolean => p.algorithm === 'diag' && p.rescale && p.layer.out % 2 === 0;

/** What ComfyUI cannot hold or does otherwise. */
export function comfyuiFit(planned: readonly PlannedLayer[]): Fit {
  return new FitBuilder(planned)
    .obstacle(...outputSideOnly('ComfyUI'))
    .loss(...seriesLost('ComfyUI'))
    .loss(
      isClamped,
      (which) =>
        `The constraint of ${which} is baked into the blocks: nothing is lost in use, but training it further is free of it.`,
    )
    .loss(...sharedWrittenOut('ComfyUI'))
    .loss(
      reencodes,
      (which) =>
        `The rescaled blocks of ${which} are re-encoded as one BOFT stage, which LyCORIS would misread: keep a LyCORIS file for training on.`,
    )
    .loss(
      (p) => p.algorithm === 'diag' && p.rescale && !reencodes(p),
      (which) =>
        `ComfyUI ignores the rescale of ${which}, whose width is odd; A1111 applies it. Whole weight differences (.diff) keep it.`,
    )
    .loss(
      () => true,
      () =>
        'At a strength s other than 1, ComfyUI applies s twice, to the rotation and to the difference that it makes: about s² in all.',
    );
}

function blocksTensor(parameters: LayerParameters): Tensor {
  const { layer: p } = parameters;
  const blocks = fullBlocks(parameters, true);
  const as = (shape: readonly number[], data: Float32Array): Tensor => ({ type: 'float32', shape, data });
  if (p.algorithm === 'boft') return as([p.stages, p.count, p.size, p.size], blocks);
  if (!reencodes(p)) return as([p.count, p.size, p.size], blocks);
  const [n, b] = p.size % 2 === 0 ? [p.count, p.size] : [p.count / 2, p.size * 2];
  const even = p.size % 2 === 0 ? blocks : paired(blocks, p.count, p.size);
  return as([1, n, b, b], toButterfly(even, n, b));
}

/**
 * An adapter as a safetensors file for ComfyUI and A1111, F32.
 * @throws FormatError as writeLycoris does.
 */
export async function writeComfyui(
  layers: readonly LayerParameters[],
  meta: LycorisMeta = {},
): Promise<Uint8Array> {
  const planned = layers.map((l) => l.layer);
  demandFit(comfyuiFit(planned));
  const network = { module: 'lycoris.kohya', dim: largestBlock(planned), args: networkArgs(planned, 0) };
  return kohyaFile('comfyui', layers, meta, network, (l) => turning(l, blocksTensor(l), 0));
}
