/** @file Any plan that a plan file can hold, for property tests. */
import fc from 'fast-check';
import type { BlockChoice, LayerSettings, Match, Plan, Rule } from '#src/oft/types.ts';
import { withConventions } from '../plans/plan.ts';
import { roles } from '../plans/planSchema.ts';

const from1 = (to: number) => fc.integer({ min: 1, max: to });
const probability = fc.double({ min: 0, max: 1, noNaN: true });
const optional = { requiredKeys: [] };

const comparison = fc
  .tuple(fc.constantFrom('', '>', '<', '>=', '<=', '!='), fc.integer({ min: 0, max: 99_999 }))
  .map(([sign, n]) => `${sign}${n}`);
const width = fc.oneof(from1(20_000), comparison);

const match: fc.Arbitrary<Match> = fc.record(
  {
    name: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom('*attn*', '*.to_?', 'down_blocks.*'),
    ),
    regex: fc.constantFrom('^down', String.raw`\.to_[qkv]$`, 'a|b', ''),
    kind: fc.constantFrom('linear' as const, 'conv' as const),
    kernel: from1(7),
    stride: from1(4),
    groups: width,
    in: width,
    out: width,
    position: fc.oneof(fc.integer({ min: -50, max: 50 }), comparison, fc.constantFrom('>=-3', '<-1')),
    role: fc.constantFrom(...roles),
    part: fc.constantFrom('unet', 'text_encoder', 'text_encoder_2'),
  },
  optional,
);

const limits = {
  share: fc.boolean(),
  fit: fc.constantFrom('exact' as const, 'nearest' as const),
  maxSize: from1(4096),
  maxParams: from1(10_000_000),
};

/** Choices of all four ways; `stages` only where asked for, `per` only for the input side. */
const blocks = ({
  side,
  algorithm,
}: Pick<LayerSettings, 'side' | 'algorithm'>): fc.Arbitrary<BlockChoice> => {
  const more = algorithm === 'boft' ? { ...limits, stages: from1(8) } : limits;
  const way = (key: 'dim' | 'count' | 'size', n: fc.Arbitrary<number>): fc.Arbitrary<BlockChoice> =>
    fc.tuple(n, fc.record(more, optional)).map(([value, rest]) => ({ [key]: value, ...rest }));
  return fc.oneof(
    way('dim', fc.oneof(fc.constant(-1), from1(512))),
    way('count', from1(512)),
    way('size', from1(512)),
    ...(side === 'input'
      ? [fc.record({ per: fc.constant('channel' as const), share: fc.boolean() }, { requiredKeys: ['per'] })]
      : []),
  );
};

const sides = fc.constantFrom(
  { side: 'output', algorithm: 'diag' } as const,
  { side: 'input', algorithm: 'diag' } as const,
  { side: 'output', algorithm: 'boft' } as const,
);

const others = {
  parameters: fc.constantFrom('full' as const, 'triangle' as const),
  neumannTerms: fc.option(from1(64), { nil: null }),
  constraint: fc.double({ min: 0, max: 10, noNaN: true }),
  clamp: fc.constantFrom('lycoris' as const, 'comfyui' as const, 'peft' as const, 'paper' as const),
  rescale: fc.boolean(),
  moduleDropout: probability,
  rankDropout: probability,
  lrScale: fc.double({ min: 0, max: 1000, noNaN: true }),
};

/** Every setting said, in combinations that a plan file accepts. */
export const arbitrarySettings: fc.Arbitrary<LayerSettings> = sides.chain((own) =>
  fc.record({ ...others, blocks: blocks(own) }).map((rest) => ({ ...own, ...rest })),
);

/** Rules say any part of their settings; those that leave the plan's side say what depends on it. */
const rule = (plan: LayerSettings): fc.Arbitrary<Rule> =>
  fc.tuple(match, fc.boolean(), sides).chain(([match, turned, other]) => {
    const own = turned ? other : plan;
    return fc
      .record({ skip: fc.boolean(), ...others, blocks: blocks(own) }, optional)
      .map((rest) =>
        withConventions(
          { match, ...rest, ...(turned && { side: own.side, algorithm: own.algorithm }) },
          plan.side,
        ),
      );
  });

/** Any plan with up to six rules. */
export const arbitraryPlan: fc.Arbitrary<Plan> = arbitrarySettings.chain((settings) =>
  fc.array(rule(settings), { maxLength: 6 }).map((rules) => ({ ...settings, rules })),
);
