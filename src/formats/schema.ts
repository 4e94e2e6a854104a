/** @file Pieces of schema whose complaints people can read: key, value, what is allowed, and the nearest known key. */
import * as v from 'valibot';
import { JobError } from './errors.ts';
import { nearest } from './nearest.ts';

/** A table whose keys are all known. Issues of unknown keys name the nearest known one. */
export const table = <const E extends v.ObjectEntries>(entries: E) =>
  v.strictObject(entries, (issue) => {
    if (issue.expected !== 'never') return ` is ${show(issue.input)}; allowed: a table.`;
    const known = Object.keys(entries);
    const meant = nearest(String(issue.path?.at(-1)?.key), known);
    return meant
      ? ` is not a known key. Did you mean ${meant}?`
      : ` is not a known key. Known here: ${known.join(', ')}.`;
  });

/** A value that passes `ok`; `allowed` completes the sentence "allowed: …". */
export const value = <T>(allowed: string, ok: (x: unknown) => boolean) =>
  v.custom<T>(ok, (issue) => ` is ${show(issue.input)}; allowed: ${allowed}.`);

export const whole = (from: number, to: number) =>
  value<number>(
    `a whole number from ${from} to ${to}`,
    (x) => typeof x === 'number' && Number.isInteger(x) && x >= from && x <= to,
  );

export const real = (allowed: string, ok: (x: number) => boolean) =>
  value<number>(allowed, (x) => typeof x === 'number' && Number.isFinite(x) && ok(x));

export const flag = value<boolean>('true or false', (x) => typeof x === 'boolean');

export const oneOf = <const T extends readonly string[]>(words: T) =>
  value<T[number]>(words.map((w) => `"${w}"`).join(' or '), (x) => words.includes(x as string));

export const text = (longest: number) =>
  value<string>(
    `a text of at most ${longest} characters`,
    (x) => typeof x === 'string' && x.length <= longest,
  );

/** A value for a message, cut at 60 characters. */
export const show = (x: unknown): string => {
  const shown = x === undefined ? 'missing' : typeof x === 'number' ? String(x) : JSON.stringify(x);
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
};

/** `plan.rule.0.match` → `plan.rule 1: match` */
export const readable = (path: readonly (string | number)[]): string =>
  path.reduce<string>(
    (s, key) =>
      /^\d+$/.test(String(key))
        ? `${s} ${Number(key) + 1}:`
        : s === ''
          ? String(key)
          : `${s}${s.endsWith(':') ? ' ' : '.'}${key}`,
    '',
  );

/** The checked value. Throws JobError with the first issue. `where`: the table's own dotted key. */
export function checked<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  where: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = (issue.path ?? []).map((p) => p.key as string | number);
  const full = where === '' ? path : [where, ...path];
  throw new JobError(`${readable(full).replace(/:$/, '') || 'The job'}${issue.message}`, full.join('.'));
}

type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;
type Snake<S extends string> = S extends `${infer A}${infer B}`
  ? A extends Lowercase<A>
    ? `${A}${Snake<B>}`
    : `_${Lowercase<A>}${Snake<B>}`
  : S;

/** The type with all keys in camelCase. */
export type CamelKeys<T> = T extends readonly unknown[]
  ? { [K in keyof T]: CamelKeys<T[K]> }
  : T extends object
    ? { [K in keyof T as K extends string ? Camel<K> : K]: CamelKeys<T[K]> }
    : T;
/** The type with all keys in snake_case. */
export type SnakeKeys<T> = T extends readonly unknown[]
  ? { [K in keyof T]: SnakeKeys<T[K]> }
  : T extends object
    ? { [K in keyof T as K extends string ? Snake<K> : K]: SnakeKeys<T[K]> }
    : T;

function mapKeys(x: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(x)) return x.map((item) => mapKeys(item, rename));
  if (typeof x !== 'object' || x === null) return x;
  return Object.fromEntries(
    Object.entries(x)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [rename(key), mapKeys(item, rename)]),
  );
}

/** Keys as TypeScript has them: learning_rate → learningRate. */
export const camelKeys = <T>(x: T): CamelKeys<T> =>
  mapKeys(x, (k) => k.replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase())) as CamelKeys<T>;
/** Keys as files have them: learningRate → learning_rate. Undefined entries are left out. */
export const snakeKeys = <T>(x: T): SnakeKeys<T> =>
  mapKeys(x, (k) => k.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)) as SnakeKeys<T>;
