/** @file OFT adapters as PEFT's folders: adapter_config.json and adapter_model.safetensors. */
import type { LayerParameters, WholeValues } from '#src/oft/rotation/parameters.ts';
import { storedBlocks } from '#src/oft/plan/planned.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { checkNumbers, isClamped, triangles } from '../blockNumbers.ts';
import { anywhere, demandFit, type Fit, FitBuilder, kernelSize, named } from '../fit.ts';
import type { WrittenFile } from '../adapterTypes.ts';
import { fileNames } from '../names.ts';
import { peftNumber } from './peftBlocks.ts';
import { isJoined, modulesOf } from './peftParts.ts';
import { peftParameter } from './peftRead.ts';
import { writeSafetensors } from '../../files/safetensors.ts';

/** The release whose behaviour this follows, and whose version the files carry. */
const VERSION = '0.21.2';

export const configName = 'adapter_config.json';
export const modelName = 'adapter_model.safetensors';

/** Blocks of one number cannot turn; PEFT's file does without such layers. */
const turning = (p: PlannedLayer): boolean => p.size > 1;

const oneOnly = (planned: readonly PlannedLayer[], of: (p: PlannedLayer) => unknown): boolean =>
  new Set(planned.map(of)).size <= 1;

/** Whether PEFT's own constraint says it: one eps for all. */
const asCoft = (planned: readonly PlannedLayer[]): boolean =>
  planned.every((p) => isClamped(p) && p.clamp === 'peft') && oneOnly(planned, (p) => p.constraint);

export const inputSideOnly = (tool: string) =>
  [
    (p: PlannedLayer): boolean => p.side === 'output',
    (which: string): string =>
      `${tool} rotates what comes into layers, but ${which} ${which.startsWith('layer') ? 'rotates' : 'rotate'} what they put out.`,
    `${anywhere} LyCORIS's format holds it as it is. Or train on the input side.`,
  ] as const;

export const rescaleLost = (tool: string) =>
  [
    (p: PlannedLayer): boolean => p.rescale,
    (which: string): string => `${tool} has no rescale, which ${which} trained.`,
    `${anywhere} Or train without rescale.`,
  ] as const;

export const otherKernels = (tool: string) =>
  [
    ({ layer }: PlannedLayer): boolean => layer.kind === 'conv' && layer.kernel.length !== 2,
    (which: string): string =>
      `${tool} adapts only two-dimensional convolutions; ${which} has another kernel.`,
    `${anywhere} Or skip such layers by a rule.`,
  ] as const;

/** What PEFT cannot hold or does otherwise. */
export function peftFit(all: readonly PlannedLayer[]): Fit {
  const planned = all.filter((p) => turning(p) || p.side === 'output' || p.rescale);
  const fit = new FitBuilder(planned)
    .obstacle(...inputSideOnly('PEFT'))
    .obstacle(...rescaleLost('PEFT'))
    .obstacle(...otherKernels('PEFT'))
    .obstacle(
      ({ layer }) => layer.groups > 1,
      (which) => `PEFT cannot adapt grouped convolutions: ${which}.`,
      `${anywhere} Or skip them by a rule with groups = ">1".`,
    )
    .obstacle(
      ({ layer }) => layer.kernel.length === 2 && layer.kernel[0] !== layer.kernel[1],
      (which) => `PEFT cannot adapt convolutions whose kernel is not square: ${which}.`,
      `${anywhere} Or skip them by a rule.`,
    )
    .obstacle(
      ({ layer }) => layer.dilation?.some((d) => d > 1) ?? false,
      (which) => `PEFT cannot adapt dilated convolutions: ${which}.`,
      `${anywhere} Or skip them by a rule.`,
    );
  if (fit.obstacles.length > 0) return fit;
  if (planned.length === 0)
    fit.obstacles.push({
      reason: 'No layer has blocks that can turn: the adapter is empty.',
      cure: 'Choose larger blocks.',
    });
  else if (!peftNumber(planned)) fit.obstacles.push(sizesDiffer(planned));
  if (!oneOnly(planned, (p) => p.neumannTerms))
    fit.obstacles.push({
      reason:
        'PEFT has one way to compute rotations per adapter, but some layers are exact and some a series, or series of several lengths.',
      cure: 'Give all rules the same cayley.',
    });
  if (!oneOnly(planned, (p) => p.share))
    fit.obstacles.push({
      reason: 'PEFT shares the blocks of all layers or of none, but this plan shares those of some.',
      cure: 'Give all rules the same share.',
    });
  if (!asCoft(planned))
    fit.loss(
      isClamped,
      (which) =>
        `The constraint of ${which} is baked into the blocks, since PEFT has one eps for all layers, block by block: training it further there is free of it.`,
    );
  fit.loss(
    ({ layer }) => isJoined(layer),
    (which) =>
      `${which} ${which.startsWith('layer') ? 'joins' : 'join'} queries, keys and values, which are modules of their own in transformers’ Llama, Mistral, Qwen and Gemma: the folder has the rotation for each of the three. Models that have them as one (Phi-3) do not find it.`,
  );
  return fit.loss(
    ({ layer }) => kernelSize(layer) > 1,
    (which) =>
      `PEFT's own forward pass scrambles convolutions wider than 1×1 (${which}); merge the adapter there (merge_and_unload) before use, which is right.`,
  );
}

function sizesDiffer(planned: readonly PlannedLayer[]): { reason: string; cure: string } {
  const bySize = new Map<number, PlannedLayer[]>();
  for (const p of planned) bySize.set(p.size, [...(bySize.get(p.size) ?? []), p]);
  const most = [...bySize].sort(([, a], [, b]) => b.length - a.length);
  const shown = most
    .slice(0, 3)
    .map(([size, some]) => `${size} in ${named(some)}`)
    .join(', ');
  return {
    reason: `PEFT has one block size per adapter, which it fits to each width, but no single number gives these: ${shown}.`,
    cure: `Train with blocks = { size = ${most[0]![0]}, fit = "nearest" } for all layers. ${anywhere}`,
  };
}

export interface PeftMeta {
  readonly baseModel?: string;
  /** The model's layers that are not adapted: PEFT's list of targets must not hit them by accident. */
  readonly others?: readonly Layer[];
  /** Weights that were trained as they are; those that no module of PyTorch can be named for are left out. */
  readonly whole?: readonly WholeValues[];
}

/**
 * The module of PyTorch that a whole weight belongs to. Exporters keep a parameter's own name only where its numbers are as in PyTorch;
 * a weight that they turned gets another.
 */
export const moduleOf = ({ name }: Pick<WholeValues, 'name'>): string | undefined =>
  /^([^/:]+)\.(weight|bias)$/.exec(name)?.[1];

const keyOfModule = (module: string): string => `base_model.model.${module}`;

/**
 * The folder's two files, float32. Layers whose blocks cannot turn (b = 1) are left out.
 * @throws FormatError where PEFT has no form for the adapter.
 */
export function writePeft(layers: readonly LayerParameters[], meta: PeftMeta = {}): WrittenFile[] {
  demandFit(peftFit(layers.map((l) => l.layer)));
  const kept = layers.filter((l) => turning(l.layer));
  const planned = kept.map((l) => l.layer);
  const coft = asCoft(planned);
  const names = fileNames(
    'peft',
    planned.map((p) => p.layer),
  );
  const tensors = new Map<string, Tensor>();
  for (const parameters of kept) {
    checkNumbers(parameters);
    const { layer, size } = parameters.layer;
    const stems = isJoined(layer) ? modulesOf(layer).map(keyOfModule) : [names.get(layer)!];
    const shape = [storedBlocks(parameters.layer), (size * (size - 1)) / 2];
    const data = triangles(parameters, !coft);
    for (const stem of stems)
      tensors.set(`${stem}.${peftParameter(layer)}.weight`, { type: 'float32', shape, data });
  }
  const heads = (meta.whole ?? []).filter((w) => moduleOf(w) !== undefined);
  for (const { name, shape, data } of heads)
    tensors.set(`base_model.model.${name}`, { type: 'float32', shape, data });
  const config = peftConfig(planned, coft, meta, [...new Set(heads.map((w) => moduleOf(w)!))]);
  const encoder = new TextEncoder();
  return [
    { path: configName, bytes: encoder.encode(`${JSON.stringify(config, null, 2)}\n`) },
    { path: modelName, bytes: writeSafetensors(tensors, new Map([['format', 'pt']])) },
  ];
}

/** adapter_config.json with all keys that PEFT writes, in its order. */
function peftConfig(
  planned: readonly PlannedLayer[],
  coft: boolean,
  meta: PeftMeta,
  heads: readonly string[],
): Readonly<Record<string, unknown>> {
  const first = planned[0]!;
  const number = peftNumber(planned)!;
  return {
    auto_mapping: null,
    base_model_name_or_path: meta.baseModel ?? null,
    bias: 'none',
    block_share: first.share,
    coft,
    eps: coft ? first.constraint : 6e-5,
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    module_dropout: oneOnly(planned, (p) => p.rankDropout) ? first.rankDropout : 0,
    modules_to_save: heads.length > 0 ? heads : null,
    num_cayley_neumann_terms: first.neumannTerms ?? 5,
    oft_block_size: number.oft_block_size,
    peft_type: 'OFT',
    peft_version: VERSION,
    r: number.r,
    revision: null,
    target_modules: targets(
      planned.flatMap((p) => modulesOf(p.layer)),
      (meta.others ?? []).flatMap(modulesOf),
    ),
    task_type: null,
    use_cayley_neumann: first.neumannTerms !== null,
  };
}

/** A list hits every module whose path ends in one of its names; where that is one too many, a regular expression of whole paths. */
function targets(paths: readonly string[], others: readonly string[]): string[] | string {
  if (!others.some((o) => paths.some((p) => o.endsWith(`.${p}`)))) return [...paths];
  return `(${paths.map((p) => p.replaceAll('.', String.raw`\.`)).join('|')})`;
}
