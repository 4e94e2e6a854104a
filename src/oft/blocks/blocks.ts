/** @file From a layer's block choice to n blocks of size b in m stages: fitting, snapping and caps. */
import { factorization } from './factorization.ts';
import { fanIn, numbersPerBlock, storedBlocks, widthOf } from '../plan/planned.ts';
import { halvings, power2factorization } from './power2factorization.ts';
import type { BlockChoice, Layer, LayerSettings } from '../types.ts';

export interface Blocks {
  /** n */
  readonly count: number;
  /** b; n·b is the width. */
  readonly size: number;
  /** BOFT's m; 1 for diag. */
  readonly stages: number;
  readonly share: boolean;
  /** What was changed to make the choice fit, in words: "size 48 → 40". */
  readonly notes: readonly string[];
}

/** A choice that cannot be kept on a layer. */
export interface BlockMisfit {
  /** What does not work, to follow the layer's name: "has 320 outputs, which …". */
  readonly reason: string;
  readonly cure: string;
  /** The key that was asked for, and the values nearest to it that work. */
  readonly asked: 'dim' | 'count' | 'size' | 'per' | 'stages' | 'max_size' | 'max_params' | 'side';
  readonly nearest: readonly number[];
}

export type BlockSettings = Pick<LayerSettings, 'algorithm' | 'side' | 'blocks' | 'parameters' | 'rescale'>;

const divisorsOf = new Map<number, readonly number[]>();

/** All divisors in rising order. Remembered: a model has few widths, asked for again at every edit. */
export function divisors(n: number): readonly number[] {
  const known = divisorsOf.get(n);
  if (known) return known;
  const low: number[] = [];
  const high: number[] = [];
  for (let d = 1; d * d <= n; d++)
    if (n % d === 0) {
      low.push(d);
      if (d * d !== n) high.push(n / d);
    }
  const all = [...low, ...high.reverse()];
  divisorsOf.set(n, all);
  return all;
}

/** The nearest of rising candidates, the lower on a tie: with all divisors, PEFT's snapping of oft_block_size and r. */
export function nearestOf(candidates: readonly number[], asked: number): number | undefined {
  return candidates.reduce<number | undefined>(
    (best, c) => (best === undefined || Math.abs(c - asked) < Math.abs(best - asked) ? c : best),
    undefined,
  );
}

const neighbours = (candidates: readonly number[], asked: number): number[] =>
  [candidates.filter((c) => c <= asked).at(-1), candidates.find((c) => c > asked)].filter(
    (c) => c !== undefined,
  );

const isPositiveWhole = (n: number): boolean => Number.isInteger(n) && n > 0;
const either = (values: readonly number[]): string => values.join(' or ');
const skipIt = 'or skip the layer by a rule';

const misfit = (
  asked: BlockMisfit['asked'],
  reason: string,
  cure: string,
  nearest: readonly number[] = [],
): BlockMisfit => ({ asked, reason, cure, nearest });

/** "320 outputs", "a fan-in of 2,880 (320 inputs × 3×3)". */
const widthWords = (layer: Layer, side: LayerSettings['side']): string =>
  side === 'output'
    ? `${layer.out} outputs`
    : layer.kernel.length > 0 && fanIn(layer) !== layer.in / layer.groups
      ? `a fan-in of ${fanIn(layer)} (${layer.in / layer.groups} channels × ${layer.kernel.join('×')})`
      : `${fanIn(layer)} inputs`;

interface Fit {
  readonly size: number;
  readonly notes: readonly string[];
}

/** The choice's own block size among those possible (rising), before caps. */
function ownSize(
  layer: Layer,
  { algorithm, side, blocks }: BlockSettings,
  possible: readonly number[],
): Fit | BlockMisfit {
  const width = widthOf(layer, side);
  const words = `has ${widthWords(layer, side)}`;
  if (blocks.dim !== undefined) {
    if (blocks.dim !== -1 && !isPositiveWhole(blocks.dim))
      return misfit('dim', `has dim = ${blocks.dim}.`, 'Use a whole number from 1, or −1.');
    const size =
      algorithm === 'boft'
        ? power2factorization(width, blocks.dim)?.[0]
        : factorization(width, blocks.dim)[0];
    if (size !== undefined) return { size, notes: [] };
    const smallest = possible[0]!;
    if (blocks.fit === 'nearest') return { size: smallest, notes: [`dim ${blocks.dim} → ${smallest}`] };
    return misfit(
      'dim',
      `${words}, which BOFT cannot cut for dim = ${blocks.dim}: its smallest block there is ${smallest}.`,
      `Use dim = ${smallest} or more there, add fit = "nearest" to take it, ${skipIt}.`,
      [smallest],
    );
  }
  const [asked, value] =
    blocks.count !== undefined ? (['count', blocks.count] as const) : (['size', blocks.size ?? NaN] as const);
  if (!isPositiveWhole(value))
    return misfit(
      asked,
      Number.isNaN(value) ? 'has no block setting.' : `has ${asked} = ${value}.`,
      'Name a dim, count or size, a whole number from 1.',
    );
  const candidates = asked === 'size' ? possible : possible.map((b) => width / b).reverse();
  const found = candidates.includes(value)
    ? value
    : blocks.fit === 'nearest'
      ? nearestOf(candidates, value)!
      : undefined;
  if (found !== undefined)
    return {
      size: asked === 'size' ? found : width / found,
      notes: found === value ? [] : [`${asked} ${value} → ${found}`],
    };
  const nearest = neighbours(candidates, value);
  const wish = asked === 'count' ? `${value} blocks` : `blocks of ${value}`;
  return misfit(
    asked,
    algorithm === 'boft' && width % value === 0
      ? `${words}, and ${wish} have an odd size there; BOFT needs even ones.`
      : `${words}, which ${wish} do not divide.`,
    `Use ${asked} = ${either(nearest)} there, add fit = "nearest" to take the nearest, ${skipIt}.`,
    nearest,
  );
}

/** m for a block size: as asked, else as many as LyCORIS takes, log₂n + 1 (n not a power of two: as many as there are). */
function stagesFor(
  layer: Layer,
  { blocks }: BlockSettings,
  { size, notes }: Fit,
): (Fit & { readonly stages: number }) | BlockMisfit {
  const most = halvings(layer.out / size) + 1;
  const asked = blocks.stages ?? most;
  if (asked <= most && isPositiveWhole(asked)) return { size, notes, stages: asked };
  if (blocks.fit === 'nearest' && asked > most)
    return { size, notes: [...notes, `stages ${asked} → ${most}`], stages: most };
  return misfit(
    'stages',
    `has ${layer.out} outputs, which blocks of ${size} can mix in at most ${most} stage${most === 1 ? '' : 's'}, not ${asked}.`,
    `Use stages = ${most} there, leave stages out, choose smaller blocks, ${skipIt}.`,
    [most],
  );
}

/** One rotation of the kernel's taps per input channel (the paper's "blocks = input channels"). */
function perChannel(layer: Layer, settings: BlockSettings): Blocks | BlockMisfit {
  const { blocks, side, parameters, rescale } = settings;
  if (settings.algorithm === 'boft')
    return misfit(
      'per',
      'has per = "channel", which BOFT cannot cut by.',
      'Set algorithm = "diag-oft" and side = "input" in that rule, or choose dim, count or size.',
    );
  if (side === 'output')
    return misfit(
      'side',
      'has per = "channel", which cuts the input side, but side = "output".',
      'Set side = "input" in that rule, or choose dim, count or size.',
    );
  if (layer.kind !== 'conv')
    return misfit(
      'per',
      'is a linear layer, but per = "channel" is for convolutions.',
      'Match kind = "conv" in that rule, and give linear layers dim, count or size.',
    );
  const size = fanIn(layer) / (layer.in / layer.groups);
  const count = layer.in / layer.groups;
  const share = blocks.share ?? false;
  const stored = storedOf({ count, size, stages: 1, share }, layer, { parameters, rescale });
  if (blocks.maxSize !== undefined && size > blocks.maxSize)
    return misfit(
      'max_size',
      `has blocks of ${size} per channel, above max_size = ${blocks.maxSize}.`,
      `Use max_size = ${size} or more, ${skipIt}.`,
      [size],
    );
  if (blocks.maxParams !== undefined && stored > blocks.maxParams)
    return misfit(
      'max_params',
      `stores ${stored} numbers per channel, above max_params = ${blocks.maxParams}.`,
      `Use max_params = ${stored} or more, or share = true.`,
      [stored],
    );
  return { count, size, stages: 1, share, notes: [] };
}

const storedOf = (
  b: Pick<Blocks, 'count' | 'size' | 'stages' | 'share'>,
  layer: Layer,
  { parameters, rescale }: Pick<LayerSettings, 'parameters' | 'rescale'>,
): number => storedBlocks(b) * numbersPerBlock({ size: b.size, parameters }) + (rescale ? layer.out : 0);

/**
 * Blocks of a layer under its settings.
 *
 * dim: LyCORIS's factorisation of the width, so b ≤ n, and for BOFT its power-of-two one; count: the OFT paper's r; size: b itself;
 * per channel: b = k², n = in/groups. The width is out, or on the input side in/groups · kernel. BOFT's stage i needs an even b and
 * 2ⁱ·b | width. Caps take the largest block size at or below the choice that keeps them.
 */
export function chooseBlocks(layer: Layer, settings: BlockSettings): Blocks | BlockMisfit {
  const { algorithm, side, blocks } = settings;
  if (blocks.per !== undefined) return perChannel(layer, settings);
  const boft = algorithm === 'boft';
  if (boft && side === 'input')
    return misfit(
      'side',
      'has algorithm = "boft", which turns outputs only, but side = "input".',
      'Set side = "output" in that rule, or algorithm = "diag-oft".',
    );
  const width = widthOf(layer, side);
  const possible = boft ? boftSizes(width, blocks) : divisors(width);
  if (possible.length === 0)
    return misfit(
      boft && blocks.stages !== undefined && width % 2 === 0 ? 'stages' : 'size',
      width % 2 === 0
        ? `has ${width} outputs, which can be mixed in at most ${halvings(width)} stages, not ${blocks.stages}.`
        : `has ${width} outputs, an odd number, but BOFT needs blocks of even size.`,
      width % 2 === 0
        ? `Use stages = ${halvings(width)} there, or leave stages out.`
        : `Give the layer a rule with algorithm = "diag-oft", ${skipIt}.`,
      width % 2 === 0 ? [halvings(width)] : [],
    );
  const own = ownSize(layer, settings, possible);
  if ('reason' in own) return own;
  return capped(layer, settings, possible, own);
}

/** Even block sizes that leave room for the asked stages, or with fit = "nearest", if there is none, for as many as there can be. */
function boftSizes(width: number, { dim, stages, fit }: BlockChoice): readonly number[] {
  const even = divisors(width).filter((b) => b % 2 === 0);
  // LyCORIS's n is a power of two, under caps too.
  if (dim !== undefined) return even.filter((b) => 2 ** halvings(width / b) === width / b);
  const most = halvings(width);
  const wanted = fit === 'nearest' ? Math.min(stages ?? 1, most) : 1;
  return stages !== undefined && stages > most && fit !== 'nearest'
    ? []
    : even.filter((b) => halvings(width / b) + 1 >= wanted);
}

/** Goes down from the choice's own size to the largest that keeps every cap. */
function capped(
  layer: Layer,
  settings: BlockSettings,
  possible: readonly number[],
  own: Fit,
): Blocks | BlockMisfit {
  const { maxSize = Infinity, maxParams = Infinity, share = false } = settings.blocks;
  const width = widthOf(layer, settings.side);
  const staged = (fit: Fit) =>
    settings.algorithm === 'boft' ? stagesFor(layer, settings, fit) : { ...fit, stages: 1 };
  const uncapped = staged(own);
  if ('reason' in uncapped) return uncapped;
  let least = Infinity;
  for (const size of possible.filter((b) => b <= own.size).reverse()) {
    if (size > maxSize) continue;
    const fit =
      size === own.size
        ? uncapped
        : staged({ size, notes: [...own.notes, `size ${own.size} → ${size} by the cap`] });
    if ('reason' in fit) continue;
    const made: Blocks = { count: width / size, size, stages: fit.stages, share, notes: fit.notes };
    const stored = storedOf(made, layer, settings);
    if (stored <= maxParams) return made;
    least = Math.min(least, stored);
  }
  if (least < Infinity)
    return misfit(
      'max_params',
      `stores at least ${least} numbers, above max_params = ${maxParams}.`,
      `Use max_params = ${least} or more there, ${skipIt}.`,
      [least],
    );
  const smallest = possible[0]!;
  return misfit(
    'max_size',
    `has ${widthWords(layer, settings.side)}, whose smallest possible block is ${smallest}, above max_size = ${maxSize}.`,
    `Use max_size = ${smallest} or more there, ${skipIt}.`,
    [smallest],
  );
}

export const isMisfit = (b: Blocks | BlockMisfit): b is BlockMisfit => 'reason' in b;
