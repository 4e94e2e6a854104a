/** @file What follows from a planned layer's settings: stored blocks, widths, signs. */
import type { BlockChoice, Layer, LayerSettings, Plan, PlannedLayer, Rule, Side } from '../types.ts';

/** Settings of LyCORIS's Diag-OFT with dim 4: what a plan has before anything is said. */
export const defaultSettings: LayerSettings = {
  algorithm: 'diag',
  side: 'output',
  blocks: { dim: 4 },
  parameters: 'full',
  neumannTerms: null,
  constraint: 0,
  clamp: 'lycoris',
  rescale: false,
  moduleDropout: 0,
  rankDropout: 0,
  lrScale: 1,
};

/** Settings as PEFT's OftConfig has them by default: input side, b = 32, five Neumann terms. */
export const peftSettings: LayerSettings = {
  ...defaultSettings,
  side: 'input',
  blocks: { size: 32, fit: 'nearest' },
  parameters: 'triangle',
  neumannTerms: 5,
  clamp: 'peft',
};

/** Numbers per output that the weight holds: in/groups · kernel. */
export const fanIn = (layer: Layer): number =>
  (layer.in / layer.groups) * layer.kernel.reduce((p, k) => p * k, 1);

/** The axis of the weight matrix that a side cuts into blocks. */
export const widthOf = (layer: Layer, side: Side): number =>
  side === 'output' || layer.kind === 'embedding' ? layer.out : fanIn(layer);

/** Stored blocks: stages × (1 if shared, else n). */
export const storedBlocks = ({
  count,
  stages,
  share,
}: Pick<PlannedLayer, 'count' | 'stages' | 'share'>): number => stages * (share ? 1 : count);

/** Trained numbers of one block. */
export const numbersPerBlock = ({ size, parameters }: Pick<PlannedLayer, 'size' | 'parameters'>): number =>
  parameters === 'full' ? size * size : (size * (size - 1)) / 2;

/** Trained numbers of all blocks, without rescale. */
export const blockNumbers = (p: PlannedLayer): number => storedBlocks(p) * numbersPerBlock(p);

/** −1 where PEFT's exact transform is meant: (I − Q)(I + Q)⁻¹ = C(−Q). */
export const turnSign = ({ side, neumannTerms }: Pick<PlannedLayer, 'side' | 'neumannTerms'>): 1 | -1 =>
  side === 'input' && neumannTerms === null ? -1 : 1;

/** A layer with its settings and blocks, counted. `blocks` of the result names what was chosen. */
export function plannedLayer(
  layer: Layer,
  settings: LayerSettings,
  blocks: {
    readonly count: number;
    readonly size: number;
    readonly stages?: number;
    readonly share?: boolean;
  },
  rule: number | null = null,
): PlannedLayer {
  const { count, size, stages = 1, share = false } = blocks;
  const units = storedBlocks({ count, stages, share });
  const scales = settings.rescale ? layer.out : 0;
  return {
    ...settings,
    layer,
    rule,
    count,
    size,
    stages,
    share,
    width: widthOf(layer, settings.side),
    stored: units * numbersPerBlock({ size, parameters: settings.parameters }) + scales,
    effective: (units * size * (size - 1)) / 2 + scales,
  };
}

/** The one way of cutting that a choice names. */
export const choiceKind = (b: BlockChoice): 'dim' | 'count' | 'size' | 'per' =>
  b.per !== undefined ? 'per' : b.dim !== undefined ? 'dim' : b.count !== undefined ? 'count' : 'size';

const settingKeys = Object.keys(defaultSettings) as (keyof LayerSettings)[];

/** A rule's settings, and the plan's where the rule is silent. */
export const settingsOf = (plan: Plan, rule?: Rule): LayerSettings =>
  Object.fromEntries(
    settingKeys.map((key) => [key, rule?.[key] === undefined ? plan[key] : rule[key]]),
  ) as unknown as LayerSettings;
