/** @file Pieces of schema whose complaints people can read: key, value, what is allowed, and the nearest known key. */
import * as v from 'valibot';
import { JobError } from './errors.ts';
import { quoted } from '#src/platform/quoted.ts';
import { value } from '#src/tasks/optionSchema.ts';
import { nearest } from './nearest.ts';

export { flag, oneOf, real, text, value, whole } from '#src/tasks/optionSchema.ts';

/** A table whose keys are all known. Issues of unknown keys name the nearest known one. */
export const table = <const E extends v.ObjectEntries>(entries: E) => v.pipe(aTable, known(entries));

/** valibot's objects would take lists, too. */
const aTable = value<Record<string, unknown>>(
  'a table',
  (x) => typeof x === 'object' && x !== null && !Array.isArray(x),
);

const known = <const E extends v.ObjectEntries>(entries: E) =>
  v.strictObject(entries, (issue) => {
    if (issue.expected !== 'never') return ` is ${quoted(issue.input)}; allowed: a table.`;
    const known = Object.keys(entries);
    const meant = nearest(String(issue.path?.at(-1)?.key), known);
    return meant
      ? ` is not a known key. Did you mean ${meant}?`
      : ` is not a known key. Known here: ${known.join(', ')}.`;
  });

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
