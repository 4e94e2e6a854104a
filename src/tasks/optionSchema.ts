/** @file Schemas of single options whose complaints people can read: the value, and what is allowed. */
import { quoted } from '#src/platform/quoted.ts';
import * as v from 'valibot';

/** A piece of JSON Schema (2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

const shapes = new WeakMap<object, JsonSchema>();

/** What JSON Schema can say of a value's schema from this file; undefined: it is from elsewhere. */
export const shapeOf = (schema: object): JsonSchema | undefined => shapes.get(schema);

/**
 * A value that passes `ok`; `allowed` completes the sentence "allowed: …".
 * @param shape the same as JSON Schema, for the published schema of job files
 */
export const value = <T>(allowed: string, ok: (x: unknown) => boolean, shape: JsonSchema = {}) => {
  const made = v.custom<T>(ok, (issue) => ` is ${quoted(issue.input)}; allowed: ${allowed}.`);
  shapes.set(made, shape);
  return made;
};

export const whole = (from: number, to: number) =>
  value<number>(
    `a whole number from ${from} to ${to}`,
    (x) => typeof x === 'number' && Number.isInteger(x) && x >= from && x <= to,
    { type: 'integer', minimum: from, maximum: to },
  );

/** The bounds that the words of a number name: "a positive number up to 1", "a number from 0 to below 1". */
function boundsIn(allowed: string): JsonSchema {
  const last = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(allowed)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const minimum = last(/\bfrom ([\d.]+)/) ?? (/^0 /.test(allowed) ? 0 : undefined);
  const exclusiveMinimum = last(/\babove ([\d.]+)/) ?? (/^a positive/.test(allowed) ? 0 : undefined);
  const maximum = last(/\b(?:up to|to) ([\d.]+)/);
  const exclusiveMaximum = last(/\bbelow ([\d.]+)/);
  return {
    ...(minimum !== undefined && { minimum }),
    ...(minimum === undefined && exclusiveMinimum !== undefined && { exclusiveMinimum }),
    ...(maximum !== undefined && { maximum }),
    ...(exclusiveMaximum !== undefined && { exclusiveMaximum }),
  };
}

export const real = (allowed: string, ok: (x: number) => boolean) =>
  value<number>(allowed, (x) => typeof x === 'number' && Number.isFinite(x) && ok(x), {
    type: 'number',
    ...boundsIn(allowed),
  });

export const flag = value<boolean>('true or false', (x) => typeof x === 'boolean', { type: 'boolean' });

export const oneOf = <const T extends readonly string[]>(words: T) =>
  value<T[number]>(words.map((w) => `"${w}"`).join(' or '), (x) => words.includes(x as string), {
    enum: words,
  });

export const text = (longest: number) =>
  value<string>(
    `a text of at most ${longest} characters`,
    (x) => typeof x === 'string' && x.length <= longest,
    { type: 'string', maxLength: longest },
  );
