/** @file What a tool cannot have of a plan, each with the sentence for it and the change that removes it. */
import { divisors } from '../blocks/blocks.ts';
import { factorization } from '../blocks/factorization.ts';
import { power2factorization } from '../blocks/power2factorization.ts';
import type { PlannedLayer } from '../types.ts';

type Planned = readonly PlannedLayer[];

/** A thing that a tool cannot have, with the change that removes it. */
export interface Trouble {
  readonly holds: (p: PlannedLayer) => boolean;
  /** @param which the layers meant */
  readonly says: (which: string) => string;
  readonly change: string;
}

const kernel = ({ layer }: PlannedLayer): number => layer.kernel.reduce((n, k) => n * k, 1);
const clamped = (p: PlannedLayer): boolean => p.constraint > 0;
const powerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));

export const output: Trouble = {
  holds: (p) => p.side === 'output',
  says: (w) => `It rotates what comes into layers, but the plan rotates what ${w} put out.`,
  change: 'Set side = "input".',
};
export const input: Trouble = {
  holds: (p) => p.side === 'input',
  says: (w) => `It rotates what layers put out, but the plan rotates what comes into ${w}.`,
  change: 'Set side = "output".',
};
export const series: Trouble = {
  holds: (p) => p.neumannTerms !== null,
  says: (w) =>
    `It computes the exact Cayley transform; ${w} would train with a series, so weights differ a little.`,
  change: 'Set cayley = "exact".',
};
export const rescale: Trouble = {
  holds: (p) => p.rescale,
  says: (w) => `It has no rescale, which ${w} would train.`,
  change: 'Set rescale = false.',
};
export const unevenConv: Trouble = {
  holds: ({ layer }) =>
    layer.groups > 1 ||
    (layer.kind === 'conv' && layer.kernel.length !== 2) ||
    new Set(layer.kernel).size > 1 ||
    (layer.dilation?.some((d) => d > 1) ?? false),
  says: (w) => `It cannot adapt grouped, dilated, one-dimensional or non-square convolutions: ${w}.`,
  change: 'Skip them by a rule, such as match = { kind = "conv", groups = ">1" }.',
};

/** LyCORIS 4.1.3 rebuilds a layer from b alone [run]: Diag-OFT only where factorization(out, b) gives b again. */
const tooLarge = (p: PlannedLayer): boolean =>
  p.algorithm === 'diag' && p.side === 'output' && factorization(p.layer.out, p.size)[0] !== p.size;
/** One stage of a butterfly is block-diagonal: such blocks are written as BOFT, if it could have them. */
const asButterfly = (p: PlannedLayer): boolean =>
  tooLarge(p) && power2factorization(p.layer.out, p.size)?.[0] === p.size;

export const cannotReload: Trouble = {
  holds: (p) => tooLarge(p) && !asButterfly(p),
  says: (w) => `LyCORIS 4.1.3 cannot reload blocks that are larger than they are many, as in ${w}.`,
  change: 'Choose smaller blocks, such as blocks = { dim = 4 }.',
};
export const emptyStages: Trouble = {
  holds: asButterfly,
  says: (w) =>
    `LyCORIS 4.1.3 cannot reload blocks that are larger than they are many: those of ${w} are written as BOFT whose further stages do nothing.`,
  change: 'Choose smaller blocks, such as blocks = { dim = 4 }.',
};

export const boftStages: Trouble = {
  holds: (p) => p.algorithm === 'boft' && (!powerOfTwo(p.count) || p.stages !== Math.log2(p.count) + 1),
  says: (w) =>
    `LyCORIS always has log₂n + 1 stages; those of ${w} are filled up with stages that do nothing.`,
  change: 'Leave stages out.',
};
export const perBlock: Trouble = {
  holds: (p) => clamped(p) && (p.clamp === 'peft' || p.clamp === 'paper'),
  says: (w) =>
    `It bounds a layer as a whole: the constraint of ${w} is baked in, and training on is free of it.`,
  change: 'Set clamp = "lycoris".',
};
export const shared: Trouble = {
  holds: (p) => p.share && p.count > 1 && p.side === 'output',
  says: (w) => `It has no shared blocks: those of ${w} are written out once per block.`,
  change: 'Set share = false.',
};
export const boftOddCount: Trouble = {
  holds: (p) => p.algorithm === 'boft' && !powerOfTwo(p.count),
  says: (w) => `LyCORIS takes BOFT only with a power of two of blocks, unlike ${w}.`,
  change: 'Use blocks = { dim = 8 } there, or algorithm = "diag-oft".',
};
export const oddRescale: Trouble = {
  holds: (p) => p.algorithm === 'diag' && p.rescale && p.layer.out % 2 === 1,
  says: (w) => `ComfyUI ignores the rescale of ${w}, whose width is odd.`,
  change: 'Set rescale = false for odd widths.',
};
export const scrambled: Trouble = {
  holds: (p) => kernel(p) > 1,
  says: (w) =>
    `PEFT's own forward pass scrambles convolutions wider than 1×1 (${w}); merged weights are right.`,
  change: 'Skip them by a rule with kind = "conv", or merge the adapter there before use.',
};
export const notFive: Trouble = {
  holds: (p) => p.neumannTerms !== 5,
  says: (w) =>
    `It computes rotations by a series of five terms; ${w} would train otherwise, so large turns differ.`,
  change: 'Set cayley = { terms = 5 }.',
};
export const bakedIn: Trouble = {
  holds: clamped,
  says: (w) => `The constraint of ${w} is baked in; training on is free of it.`,
  change: 'Set constraint = 0.',
};
/** PEFT keeps a constraint only where every layer has the same one, by its own meaning. */
export const noEps = (planned: Planned): Trouble => ({
  ...bakedIn,
  holds: (p) =>
    clamped(p) &&
    !(p.clamp === 'peft' && planned.every((q) => q.clamp === 'peft' && q.constraint === p.constraint)),
});

/** One number that PEFT's snapping turns into each layer's own; PEFT takes the nearest divisor, the lower of two. */
export function oneNumberFits(
  layers: readonly { readonly width: number; readonly value: number }[],
): boolean {
  let [from, to] = [1, Infinity];
  for (const { width, value } of layers) {
    const all = divisors(width);
    const at = all.indexOf(value);
    if (at < 0) return false;
    if (at > 0) from = Math.max(from, Math.floor((all[at - 1]! + value) / 2) + 1);
    if (at + 1 < all.length) to = Math.min(to, Math.floor((value + all[at + 1]!) / 2));
  }
  return from <= to;
}

/** PEFT has one block size (or count), one transform and one share for an adapter. */
export function mixed(planned: Planned): Trouble[] {
  const turning = planned.filter((p) => p.size > 1);
  if (turning.length === 0)
    return planned.some((p) => p.side === 'output')
      ? []
      : [
          {
            holds: () => true,
            says: () => 'No layer has blocks that can turn: the adapter is empty.',
            change: 'Choose larger blocks.',
          },
        ];
  const several = (of: (p: PlannedLayer) => unknown): boolean => new Set(turning.map(of)).size > 1;
  const always = (says: string, change: string): Trouble => ({ holds: () => true, says: () => says, change });
  const sizes = turning.map((p) => ({ width: p.width, value: p.size }));
  const counts = turning.map((p) => ({ width: p.width, value: p.count }));
  return [
    ...(oneNumberFits(sizes) || oneNumberFits(counts)
      ? []
      : [
          always(
            'It has one block size for a whole adapter, fitted to each width, but no single number gives the blocks of this plan.',
            'Use blocks = { size = 32, fit = "nearest" } for all layers.',
          ),
        ]),
    ...(several((p) => p.neumannTerms)
      ? [
          always(
            'It computes all rotations alike, but the plan has several ways.',
            'Give all rules the same cayley.',
          ),
        ]
      : []),
    ...(several((p) => p.share)
      ? [always('It shares the blocks of all layers or of none.', 'Give all rules the same share.')]
      : []),
  ];
}

/** One block size for a whole adapter, fitted to each width. */
export const severalSizes = (planned: Planned): Trouble[] => {
  const turning = planned.filter((p) => p.size > 1);
  return oneNumberFits(turning.map((p) => ({ width: p.width, value: p.size })))
    ? []
    : mixed(planned).slice(0, 1);
};
