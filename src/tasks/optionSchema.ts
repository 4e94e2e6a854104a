/** @file Schemas of single options whose complaints people can read: the value, and what is allowed. */
import * as v from 'valibot';

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
