/** @file What importing another tool's settings has in common: the plan that came of it, and everything that did not. */
import { quoted } from '#src/platform/quoted.ts';
import type { LayerSettings, Plan } from '#src/oft/types.ts';
import { JobError } from '../errors.ts';

export interface ImportedPlan {
  readonly plan: Plan;
  /** Sentences for people: what was left out, what means something else here. */
  readonly notes: readonly string[];
}

/** A text for another tool, and what that tool has no word for. */
export interface ExportedText {
  readonly text: string;
  /** Sentences for people; empty: the tool does exactly what the plan says. */
  readonly losses: readonly string[];
}

export type Table = Readonly<Record<string, unknown>>;

export const isTable = (x: unknown): x is Table =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Date);

/** A foreign value as text. A table of JSON may have a `toString` of its own, which is none. */
const textOf = (x: unknown): string => (typeof x === 'string' ? x : quoted(x, 200));

/** A foreign value for a message, cut at 60 characters. */
export const shown = (x: unknown): string => {
  const text = textOf(x);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** A value of a foreign file that cannot be meant. */
export const refuse = (key: string, value: unknown, allowed: string): never => {
  throw new JobError(`${key} is ${shown(value)}; allowed: ${allowed}.`, key);
};

/** A number, also as text (kohya's arguments are texts). Throws JobError. */
export function numberIn(key: string, value: unknown, allowed: string, ok: (n: number) => boolean): number {
  const n =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && value.trim() !== ''
        ? Number(value)
        : NaN;
  return Number.isFinite(n) && ok(n) ? n : refuse(key, value, allowed);
}

export const wholeIn = (key: string, value: unknown, from: number): number =>
  numberIn(
    key,
    value,
    `a whole number from ${from}`,
    (n) => Number.isSafeInteger(n) && n >= from && n <= 1 << 24,
  );

export const shareIn = (key: string, value: unknown): number =>
  numberIn(key, value, 'a number from 0 to 1', (n) => n >= 0 && n <= 1);

export const notNegativeIn = (key: string, value: unknown): number =>
  numberIn(key, value, '0 (off) or a positive number', (n) => n >= 0);

/** LyCORIS's reading of flags: everything but "false" is true. */
export const flagIn = (value: unknown): boolean => textOf(value).toLowerCase() !== 'false';

/** A list of texts. Throws JobError. */
export const textsIn = (key: string, value: unknown): readonly string[] =>
  Array.isArray(value) && value.every((x) => typeof x === 'string')
    ? value
    : refuse(key, value, 'a list of texts');

/** LyCORIS's name of an algorithm that Rotune has too; undefined for LoRA and its kin. */
export function oftAlgorithm(value: unknown): LayerSettings['algorithm'] | undefined {
  const name = textOf(value).toLowerCase();
  return name === 'diag-oft' || name === 'oft' ? 'diag' : name === 'boft' ? 'boft' : undefined;
}

/** Arguments that LyCORIS takes for every algorithm and that its OFT modules never look at. */
export const ignoredByOft: ReadonlySet<string> = new Set([
  'alpha',
  'block_num',
  'block_size',
  'conv_alpha',
  'decompose_both',
  'dora_wd',
  'dropout',
  'factor',
  'full_matrix',
  'rank_dropout_scale',
  'rs_lora',
  'train_on_input',
  'unbalanced_factorization',
  'use_conv_cp',
  'use_cp',
  'disable_conv_cp',
  'use_scalar',
  'use_tucker',
  'wd_on_out',
  'wd_on_output',
  'weight_decompose',
]);

export const many = (names: readonly string[]): string => names.join(', ');
