/** @file The keys of `[plan]` and its rules, each with what is allowed there. */
import * as v from 'valibot';
import { LONGEST_REGEX, regexComplaint } from '#src/oft/plan/regexGuard.ts';
import type { Role } from '#src/oft/types.ts';
import { quoted } from '#src/platform/quoted.ts';
import { flag, oneOf, real, table, text, value, whole } from '../schema.ts';

const isWhole = (x: unknown): x is number => typeof x === 'number' && Number.isInteger(x) && x >= 1;

export const roles: readonly Role[] = [
  'query',
  'key',
  'value',
  'attention-out',
  'feed-forward',
  'residual-conv',
  'time-embedding',
  'projection',
  'sampling',
  'input',
  'head',
  'other',
];

/** The four ways of cutting a width, of which a choice names exactly one. */
const ways = ['dim', 'count', 'size', 'per'] as const;
const examples = '{ dim = 4 }, { count = 4 }, { size = 32 } or { per = "channel" }';

const waysIn = (x: unknown): string[] =>
  ways.filter((way) => (x as Record<string, unknown>)[way] !== undefined);

const blocks = v.pipe(
  table({
    dim: v.optional(
      value<number>(
        'a whole number from 1 (LyCORIS’s factorisation), or -1: as square as possible',
        (x) => x === -1 || isWhole(x),
        { type: 'integer', anyOf: [{ const: -1 }, { minimum: 1 }] },
      ),
    ),
    count: v.optional(whole(1, 1 << 24)),
    size: v.optional(whole(1, 1 << 24)),
    per: v.optional(oneOf(['channel'])),
    share: v.optional(flag),
    stages: v.optional(whole(1, 30)),
    fit: v.optional(oneOf(['exact', 'nearest'])),
    max_size: v.optional(whole(1, 1 << 24)),
    max_params: v.optional(whole(1, 2 ** 40)),
  }),
  v.check(
    (x) => waysIn(x).length === 1,
    (issue) => {
      const named = waysIn(issue.input);
      return named.length === 0
        ? ` does not say how to cut the width; name one of ${examples}.`
        : ` names ${named.join(' and ')}; name exactly one of ${examples}.`;
    },
  ),
  v.check(
    (x) => x.per === undefined || [x.stages, x.fit, x.max_size, x.max_params].every((y) => y === undefined),
    ' has per = "channel", which takes no stages, fit, max_size or max_params: one k²×k² rotation per channel is its only size. Remove them; share is allowed.',
  ),
);

/** `lowest`: the smallest number that makes sense; 0 stands for "negative ones too". */
const comparison = (example: string, negative = false) =>
  value<number | string>(
    `a whole number, or a comparison such as "${example}"`,
    (x) =>
      typeof x === 'string'
        ? (negative
            ? /^\s*(>=|<=|>|<|==?|!=)?\s*-?\d{1,9}\s*$/
            : /^\s*(>=|<=|>|<|==?|!=)?\s*\d{1,9}\s*$/
          ).test(x)
        : negative
          ? Number.isSafeInteger(x)
          : isWhole(x),
    {
      anyOf: [
        { type: 'integer', ...(negative ? {} : { minimum: 1 }) },
        {
          type: 'string',
          pattern: String.raw`^\s*(>=|<=|>|<|==?|!=)?\s*${negative ? '-?' : ''}\d{1,9}\s*$`,
        },
      ],
    },
  );

const notNegative = real('0 (off) or a positive number', (x) => x >= 0);
const probability = real('a number from 0 to 1', (x) => x >= 0 && x <= 1);

const cayley = value<'exact' | { terms: number }>(
  '"exact", or { terms = n } for the Cayley–Neumann series, with n a whole number from 1 to 64',
  (x) => {
    if (x === 'exact') return true;
    if (typeof x !== 'object' || x === null || Object.keys(x).join() !== 'terms') return false;
    const { terms } = x as { terms: unknown };
    return isWhole(terms) && terms <= 64;
  },
  {
    anyOf: [
      { const: 'exact' },
      {
        type: 'object',
        properties: {
          terms: {
            type: 'integer',
            minimum: 1,
            maximum: 64,
            description: 'Terms of the Cayley–Neumann series.',
          },
        },
        required: ['terms'],
        additionalProperties: false,
      },
    ],
  },
);

const settings = {
  algorithm: v.optional(oneOf(['diag-oft', 'diag', 'boft'])),
  side: v.optional(oneOf(['output', 'input'])),
  blocks: v.optional(blocks),
  parameters: v.optional(oneOf(['full', 'triangle'])),
  cayley: v.optional(cayley),
  constraint: v.optional(notNegative),
  clamp: v.optional(oneOf(['lycoris', 'comfyui', 'peft', 'paper'])),
  rescale: v.optional(flag),
  module_dropout: v.optional(probability),
  rank_dropout: v.optional(probability),
  lr_scale: v.optional(real('0 or a positive number up to 1000', (x) => x >= 0 && x <= 1000)),
};

const regex = v.pipe(
  text(LONGEST_REGEX),
  v.check(
    (x) => regexComplaint(x) === null,
    (issue) => {
      const { reason, cure } = regexComplaint(issue.input)!;
      return ` is ${quoted(issue.input)}, which ${reason} ${cure}`;
    },
  ),
);

const match = table({
  name: v.optional(text(500)),
  regex: v.optional(regex),
  kind: v.optional(oneOf(['linear', 'conv'])),
  kernel: v.optional(whole(1, 1024)),
  stride: v.optional(whole(1, 1024)),
  groups: v.optional(comparison('>1')),
  in: v.optional(comparison('>=320')),
  out: v.optional(comparison('>=320')),
  position: v.optional(comparison('<10', true)),
  role: v.optional(oneOf(roles)),
  part: v.optional(text(200)),
});

const rule = table({ match, skip: v.optional(flag), ...settings });

/** The keys of a plan, as they stand in a file. */
export const planSchema = table({
  ...settings,
  root: v.optional(text(500)),
  rule: v.optional(
    v.pipe(
      v.array(rule, ' is not a list; write each rule as a [[rule]] table.'),
      v.maxLength(500, ' has more than 500 entries.'),
    ),
  ),
});

export type PlanTable = v.InferOutput<typeof planSchema>;
export type RuleTable = v.InferOutput<typeof rule>;
export type SettingsTable = Omit<RuleTable, 'match' | 'skip'>;
