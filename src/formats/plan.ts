/** @file The plan as a table: which layers are adapted and how (`[plan]` of a job, or a file of its own). */
import * as v from 'valibot';
import { defaultSettings } from '#src/oft/planned.ts';
import { compares } from '#src/oft/rules.ts';
import type { BlockChoice, Plan } from '#src/oft/types.ts';
import { camelKeys, checked, flag, oneOf, real, snakeKeys, table, text, value, whole } from './schema.ts';
import { parseToml, printToml } from './toml.ts';

export const defaultPlan: Plan = { ...defaultSettings, rules: [] };

const isWhole = (x: unknown): x is number => typeof x === 'number' && Number.isInteger(x) && x >= 1;

const blocks = value<BlockChoice>(
  '{ dim = n }, { count = n } or { size = n }, with n a whole number from 1 (dim = -1: as square as possible)',
  (x) => {
    if (typeof x !== 'object' || x === null) return false;
    const [entry, ...more] = Object.entries(x);
    if (!entry || more.length > 0) return false;
    const [key, n] = entry as [string, unknown];
    return (key === 'dim' && n === -1) || (['dim', 'count', 'size'].includes(key) && isWhole(n));
  },
);

const width = value<number | string>('a whole number, or a comparison such as ">=320"', (x) => {
  if (typeof x !== 'string') return isWhole(x);
  try {
    compares(x, 0);
    return true;
  } catch {
    return false;
  }
});

const settings = {
  constraint: v.optional(real('0 (off) or a positive number', (x) => x >= 0)),
  rescale: v.optional(flag),
  lr_scale: v.optional(real('0 or a positive number up to 1000', (x) => x >= 0 && x <= 1000)),
};

const match = table({
  name: v.optional(text(500)),
  kind: v.optional(oneOf(['linear', 'conv'])),
  kernel: v.optional(whole(1, 1024)),
  stride: v.optional(whole(1, 1024)),
  groups: v.optional(whole(1, 65536)),
  in: v.optional(width),
  out: v.optional(width),
});

const rule = table({ match, skip: v.optional(flag), blocks: v.optional(blocks), ...settings });

/** The keys of a plan, as they stand in a file. */
export const planSchema = table({
  side: v.optional(oneOf(['output'])),
  blocks: v.optional(blocks),
  ...settings,
  rule: v.optional(
    v.pipe(
      v.array(rule, ' is not a list; write each rule as a [[rule]] table.'),
      v.maxLength(500, ' has more than 500 entries.'),
    ),
  ),
});

/** A checked plan from its table, with defaults filled in. */
export function planFromTable(input: v.InferOutput<typeof planSchema>): Plan {
  const { rule: rules = [], ...rest } = input;
  return { ...defaultPlan, ...camelKeys(rest), rules: rules.map((r) => camelKeys(r)) };
}

/** The table of a plan, keys as in files. */
export function planToTable({ rules, ...rest }: Plan): object {
  return { ...snakeKeys(rest), ...(rules.length > 0 && { rule: rules.map((r) => snakeKeys(r)) }) };
}

/** Reads a plan file. Throws JobError that names the key, its value and what is allowed. */
export const parsePlan = (toml: string): Plan => planFromTable(checked(planSchema, parseToml(toml), ''));

export const printPlan = (plan: Plan): string => printToml(planToTable(plan));
