/**
 * @file `oft_R.weight` under flat names, as OneTrainer and sd-scripts (networks.oft_v2) keep OFTv2. Both compute R as Cayley–Neumann's
 * series of five terms; linear layers become W·Rᵀ, convolutions W·R. Nothing bounds Q when a file is applied.
 */
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { peftSettings, plannedLayer, storedBlocks, turnSign } from '#src/oft/plan/planned.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { ReadAdapter } from '../adapterTypes.ts';
import { isClamped, triangles } from '../blockNumbers.ts';
import { FormatError } from '../../errors.ts';
import { anywhere, demandFit, type Fit, FitBuilder } from '../fit.ts';
import { toFloat32 } from '../../files/floats.ts';
import { KeyedTensors } from '../keyedTensors.ts';
import type { LycorisMeta } from '../lycoris/lycorisMeta.ts';
import { listed } from '../names.ts';
import { inputSideOnly, otherKernels, rescaleLost } from '../peft/peft.ts';
import { peftNumber } from '../peft/peftBlocks.ts';
import { triangleBlocks } from '../peft/peftRead.ts';
import type { Safetensors } from '../../files/safetensors.ts';
import { kohyaFile, largestBlock } from './kohyaFile.ts';

const TERMS = 5;

/** What OneTrainer and sd-scripts cannot hold or do otherwise. */
export function oftRFit(all: readonly PlannedLayer[]): Fit {
  const planned = all.filter((p) => p.size > 1 || p.side === 'output' || p.rescale);
  const fit = new FitBuilder(planned)
    .obstacle(...inputSideOnly('OneTrainer'))
    .obstacle(...rescaleLost('OneTrainer'))
    .obstacle(...otherKernels('OneTrainer'))
    .obstacle(
      ({ layer }) => layer.kind === 'embedding',
      (which) => `OneTrainer and sd-scripts adapt no embeddings: ${which}.`,
      `${anywhere} Or skip them by a rule.`,
    )
    .obstacle(
      ({ layer }) => layer.groups > 1 || (layer.dilation?.some((d) => d > 1) ?? false),
      (which) => `OneTrainer and sd-scripts cannot adapt grouped or dilated convolutions: ${which}.`,
      `${anywhere} Or skip them by a rule.`,
    );
  if (fit.obstacles.length > 0) return fit;
  fit.loss(
    (p) => p.neumannTerms !== TERMS,
    (which) =>
      `OneTrainer and sd-scripts compute rotations by a series of ${TERMS} terms; ${which} trained otherwise, so that large rotations differ (by 2e-4 where ‖Q‖₂ = 0.1, 8e-3 at 0.25).`,
  );
  fit.loss(
    isClamped,
    (which) =>
      `The constraint of ${which} is baked into the blocks; set COFT in the tool to train on under one.`,
  );
  fit.loss(
    (p) => p.share && p.count > 1,
    (which) => `Switch on block sharing in OneTrainer for ${which}; sd-scripts sees it from the file.`,
  );
  const number = peftNumber(planned);
  fit.loss(
    () => true,
    () =>
      number && number.oft_block_size > 0
        ? `OneTrainer does not read the block size from the file: set it to ${number.oft_block_size} there. ComfyUI needs an extension for such files.`
        : 'OneTrainer has one block size for all layers, and none gives the blocks of this adapter: it cannot load it. sd-scripts takes the sizes from the file. ComfyUI needs an extension for such files.',
  );
  return fit;
}

/** 1 where the stored v turns as these tools take it: convolutions multiply by R where linear layers take Rᵀ, and PEFT's exact transform is C(−Q). */
const signOf = (p: PlannedLayer): 1 | -1 => ((turnSign(p) === 1) === (p.layer.kind !== 'conv') ? 1 : -1);

/**
 * An adapter as a safetensors file, F32. Layers whose blocks cannot turn (b = 1) are left out.
 * @throws FormatError where the tools have no form for a layer.
 */
export async function writeOftR(
  layers: readonly LayerParameters[],
  meta: LycorisMeta = {},
): Promise<Uint8Array> {
  demandFit(oftRFit(layers.map((l) => l.layer)));
  const kept = layers.filter((l) => l.layer.size > 1);
  const planned = kept.map((l) => l.layer);
  const size = peftNumber(planned)?.oft_block_size || largestBlock(planned);
  const network = {
    module: 'networks.oft_v2',
    dim: size,
    args: {
      oft_block_size: String(size),
      block_share: planned.some((p) => p.share) ? 'True' : 'False',
      ...(planned.some((p) => p.layer.kind === 'conv') && { enable_conv: 'True' }),
    },
  };
  const { prefix, ...rest } = meta;
  return kohyaFile('oft_r', kept, prefix === 'lycoris' ? rest : meta, network, (l) => ({
    'oft_R.weight': {
      type: 'float32',
      shape: [storedBlocks(l.layer), (l.layer.size * (l.layer.size - 1)) / 2],
      data: triangles(l, true, signOf(l.layer)),
    },
  }));
}

/**
 * Reads a file for a model's layers, each as the tools apply it. OneTrainer's scaled OFT (`oft_R.scaled_oft`) divides v by
 * 2√(b − 1), which is baked in.
 * @throws FormatError where a shape does not fit, no layer is found, or the file also decomposes weights (DoRA).
 */
export function readOftR({ tensors, metadata }: Safetensors, layers: readonly Layer[]): ReadAdapter {
  const dora = [...tensors.keys()].find((key) => /\.(dora_scale|dora_multiplier|initial_norm)$/.test(key));
  if (dora !== undefined)
    throw new FormatError(
      `The file combines OFT with DoRA (${dora}), which cannot be loaded. Merge it into the model in the tool that made it, export the model to ONNX, and open it here.`,
    );
  const file = new KeyedTensors(tensors, ['oft_R.weight'], layers);
  const found: LayerParameters[] = [];
  const scaled: Layer[] = [];
  for (const [layer, stem] of file.names.stems) {
    const key = `${stem}.oft_R.weight`;
    const t = file.demand(key);
    if (!t) continue;
    const blocks = triangleBlocks(key, layer, t);
    let factor = layer.kind === 'conv' ? -1 : 1;
    if (file.take(`${stem}.oft_R.scaled_oft`)) {
      scaled.push(layer);
      factor /= 2 * Math.sqrt(Math.max(1, blocks.size - 1));
    }
    const v = toFloat32(t, key);
    const choice = blocks.share ? { size: blocks.size, share: true } : { size: blocks.size };
    found.push({
      layer: plannedLayer(layer, { ...peftSettings, blocks: choice, neumannTerms: TERMS }, blocks),
      blocks: factor === 1 ? v : v.map((x) => factor * x),
    });
  }
  const notes = [
    'OneTrainer and sd-scripts compute rotations by a series of five terms, and so does this adapter here; a constraint that it was trained under is not in the file.',
  ];
  const convs = found.map((l) => l.layer.layer).filter((l) => l.kind === 'conv');
  if (convs.length > 0)
    notes.push(
      `${listed(convs)}: those tools turn convolutions the other way round than linear layers; the sign of the blocks is changed to mean the same here.`,
    );
  if (scaled.length > 0)
    notes.push(
      `${listed(scaled)}: OneTrainer's scaled OFT; its factor 1/(2√(b − 1)) is multiplied into the blocks.`,
    );
  const { missing, unexpected } = file;
  return { layers: found, missing, unexpected, notes, metadata };
}
