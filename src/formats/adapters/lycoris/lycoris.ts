/**
 * @file Diag-OFT and BOFT adapters as LyCORIS stores them: `{prefix}_{module path with _}` + `.oft_blocks` [n,b,b] or [m,n,b,b],
 * `.rescale` [out,1…], `.alpha` [].
 */
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { factorization } from '#src/oft/blocks/factorization.ts';
import { moduleOf } from '#src/oft/modules/tree.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { fullBlocks, isClamped } from '../blockNumbers.ts';
import { toButterfly } from './butterfly.ts';
import { anywhere, demandFit, type Fit, FitBuilder } from '../fit.ts';
import { kohyaFile, largestBlock } from '../kohya/kohyaFile.ts';
import type { LycorisMeta } from './lycorisMeta.ts';

export { type LycorisMeta } from './lycorisMeta.ts';
export { prefixes, type Prefix } from '../names.ts';
export { readLycoris, type LycorisFile } from './lycorisRead.ts';

/** The constraint cannot be said in `.alpha`, which bounds ‖Q‖ of the whole layer. */
const perBlock = (p: PlannedLayer): boolean => isClamped(p) && (p.clamp === 'peft' || p.clamp === 'paper');

const powerOfTwo = (n: number): boolean => 2 ** Math.round(Math.log2(n)) === n;

/** The m that LyCORIS gives n blocks: log₂n + 1; undefined where it has none. */
export const lycorisStages = (count: number): number | undefined =>
  powerOfTwo(count) ? Math.log2(count) + 1 : undefined;

/** LyCORIS 4.1.3 rebuilds a layer from b alone: Diag-OFT needs b ≤ n, BOFT n a power of two. */
const reloads = ({ algorithm, layer, size, count }: PlannedLayer): boolean =>
  algorithm === 'boft' ? powerOfTwo(count) : factorization(layer.out, size)[0] === size;

/** Diag-OFT that LyCORIS could not reload as such, but as BOFT: one stage of the butterfly is block-diagonal. */
const asButterfly = (p: PlannedLayer): boolean =>
  p.algorithm === 'diag' && !reloads(p) && p.size % 2 === 0 && powerOfTwo(p.count);

export const outputSideOnly = (tool: string) =>
  [
    (p: PlannedLayer): boolean => p.side === 'input',
    (which: string): string =>
      `${tool} rotates what layers put out, but ${which} ${which.startsWith('layer') ? 'rotates' : 'rotate'} what comes in.`,
    `${anywhere} PEFT's format holds it as it is. Or train on the output side.`,
  ] as const;

export const seriesLost = (tool: string) =>
  [
    (p: PlannedLayer): boolean => p.neumannTerms !== null,
    (which: string): string =>
      `${tool} computes the exact Cayley transform; ${which} trained with its series, so the weights differ a little.`,
  ] as const;

export const sharedWrittenOut = (tool: string) =>
  [
    (p: PlannedLayer): boolean => p.share && p.count > 1,
    (which: string): string =>
      `${tool} has no shared blocks: those of ${which} are written out once per block.`,
  ] as const;

/** What LyCORIS cannot hold or does otherwise. */
export function lycorisFit(planned: readonly PlannedLayer[]): Fit {
  return new FitBuilder(planned)
    .obstacle(...outputSideOnly('LyCORIS'))
    .loss(...seriesLost('LyCORIS'))
    .loss(
      perBlock,
      (which) =>
        `LyCORIS bounds a layer's Q as a whole, not block by block: in ${which} the constraint is baked into the blocks, and training it further there is free of it.`,
    )
    .loss(...sharedWrittenOut('LyCORIS'))
    .loss(
      ({ layer }) => moduleOf(layer).parts !== undefined,
      (which) =>
        `${which} ${which.startsWith('layer') ? 'joins' : 'join'} queries, keys and values, for which LyCORIS has no module: of those the file is for this ONNX model alone.`,
    )
    .loss(
      asButterfly,
      (which) =>
        `LyCORIS 4.1.3 cannot reload blocks that are larger than they are many: those of ${which} are written as BOFT whose further stages are zero. The weights are the same; training on there would train those stages too.`,
    )
    .loss(
      (p) => p.algorithm === 'diag' && !reloads(p) && !asButterfly(p),
      (which) =>
        `LyCORIS 4.1.3 refuses the file, since it cannot reload blocks that are larger than they are many (${which}); ComfyUI and A1111 read it. Smaller blocks, or a number of them that is a power of two, would load.`,
    )
    .loss(
      (p) => p.algorithm === 'boft' && !reloads(p),
      (which) =>
        `LyCORIS reloads BOFT only where the number of blocks is a power of two; that of ${which} is not. ComfyUI and A1111 read it.`,
    );
}

const f32 = (shape: readonly number[], data: Float32Array): Tensor => ({ type: 'float32', shape, data });

/** A layer's tensors by name: its blocks, D as LyCORIS shapes it, alpha. */
export const turning = (
  { layer: { layer }, rescale }: LayerParameters,
  blocks: Tensor,
  alpha: number,
): Readonly<Record<string, Tensor>> => ({
  oft_blocks: blocks,
  ...(rescale && { rescale: f32([layer.out, 1, ...layer.kernel.map(() => 1)], rescale) }),
  alpha: tensor('float32', [], [alpha]),
});

/** `.alpha` for the constraint: LyCORIS clamps ‖Q‖_F of all blocks, written out, to alpha·out. */
function alphaOf(p: PlannedLayer): number {
  if (!isClamped(p) || perBlock(p)) return 0;
  const own = p.clamp === 'comfyui' ? p.constraint / p.layer.out : p.constraint;
  return p.share ? own * Math.sqrt(p.count) : own;
}

/** The blocks in LyCORIS's shape. BOFT stages that LyCORIS would have beyond the layer's own are zero: identity. */
function blocksTensor(parameters: LayerParameters): Tensor {
  const { layer: p } = parameters;
  const blocks = fullBlocks(parameters, perBlock(p));
  if (p.algorithm === 'diag' && !asButterfly(p)) return f32([p.count, p.size, p.size], blocks);
  const stages = Math.max(p.stages, lycorisStages(p.count) ?? p.stages);
  const all = new Float32Array(stages * p.count * p.size ** 2);
  all.set(p.algorithm === 'diag' ? toButterfly(blocks, p.count, p.size) : blocks);
  return f32([stages, p.count, p.size, p.size], all);
}

/**
 * An adapter as a LyCORIS safetensors file, F32. `.alpha` holds the constraint (0: off).
 * @throws FormatError where LyCORIS has no form for a layer, lengths do not fit, or two layers would get one name.
 */
export async function writeLycoris(
  layers: readonly LayerParameters[],
  meta: LycorisMeta = {},
): Promise<Uint8Array> {
  const planned = layers.map((l) => l.layer);
  demandFit(lycorisFit(planned));
  const network = {
    module: 'lycoris.kohya',
    dim: largestBlock(planned),
    args: networkArgs(planned, Math.max(0, ...planned.map(alphaOf))),
  };
  return kohyaFile('lycoris', layers, meta, network, (l) => turning(l, blocksTensor(l), alphaOf(l.layer)));
}

/** `ss_network_args`. One algorithm names the network; layers of the other are told apart by the shape of their blocks. */
export function networkArgs(planned: readonly PlannedLayer[], constraint: number): Record<string, string> {
  const boft = planned.filter((p) => p.algorithm === 'boft').length;
  const args: Record<string, string> = {
    algo: boft * 2 > planned.length ? 'boft' : 'diag-oft',
    preset: 'full',
  };
  if (constraint > 0) args.constraint = String(constraint);
  if (planned.some((p) => p.rescale)) args.rescaled = 'True';
  return args;
}
