/** @file A rule's match, compiled once and asked for every layer. */
import { PlainError } from '#src/platform/refusals.ts';
import { regexComplaint } from './regexGuard.ts';
import { roleOf } from '../layers/roles.ts';
import type { Layer, Match } from '../types.ts';

/** A match that cannot be asked: what is wrong with it, and the way out. */
export class MatchError extends PlainError {
  override readonly name = 'MatchError';
  declare readonly cure: string;
  constructor(message: string, cure: string) {
    super(message, { cure });
  }
}

/** Whether a layer fits; `index` is its place among `total` layers. */
export type Matcher = (layer: Layer, index: number, total: number) => boolean;

/**
 * Glob over a whole text: `*` any run of characters, `?` one, everything else itself. Takes at most length × length steps, whatever the
 * pattern: after a mismatch only the last `*` is widened.
 */
export function globMatches(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  let [star, from] = [-1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') [star, from] = [p++, t];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) [p, t] = [star + 1, ++from];
    else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

type Sign = '>=' | '<=' | '>' | '<' | '!=' | '=';

const holds: Readonly<Record<Sign, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '!=': (a, b) => a !== b,
  '=': (a, b) => a === b,
};

function comparison(condition: number | string, key: string): { readonly sign: Sign; readonly n: number } {
  const parts = /^\s*(>=|<=|>|<|==?|!=)?\s*(-?\d+)\s*$/.exec(String(condition));
  if (!parts)
    throw new MatchError(
      `${key} is "${condition}", which is not a comparison`,
      'Write a whole number, or one with >=, <=, >, < or != before it.',
    );
  const sign = parts[1] === '==' || parts[1] === undefined ? '=' : (parts[1] as Sign);
  return { sign, n: Number(parts[2]) };
}

/** "320", 320, ">=320", "<64" … against a width. Throws MatchError for anything else. */
export function compares(condition: number | string, value: number): boolean {
  const { sign, n } = comparison(condition, 'The condition');
  return holds[sign](value, n);
}

const width = (condition: number | string, key: 'groups' | 'in' | 'out'): Matcher => {
  const { sign, n } = comparison(condition, key);
  const test = holds[sign];
  return (layer) => test(layer[key], n);
};

/** Negative places count from the end, in comparisons too: ">=-3" are the last three. */
const place = (condition: number | string): Matcher => {
  const { sign, n } = comparison(condition, 'position');
  const test = holds[sign];
  const fromEnd = n < 0 || Object.is(n, -0);
  return (_, index, total) => test(index, fromEnd ? total + n : n);
};

const square = (sides: readonly number[], n: number): boolean =>
  sides.length > 0 && sides.every((side) => side === n);

function expression(source: string): Matcher {
  const complaint = regexComplaint(source);
  if (complaint) throw new MatchError(`its regex ${shorten(source)} ${complaint.reason}`, complaint.cure);
  const pattern = new RegExp(source);
  return (layer) => namesOf(layer).some((name) => pattern.test(name));
}

/** A pattern may be written for the export's names, or for those of the Python model and its adapters. */
const namesOf = ({ path, module }: Layer): readonly string[] =>
  module ? [path, module.path, module.known] : [path];

const shorten = (text: string): string => `"${text.length > 60 ? `${text.slice(0, 57)}…` : text}"`;

function compile(match: Match): Matcher {
  const { name, regex, kind, kernel, stride, groups, position, role, part } = match;
  // Cheap questions first.
  const all: Matcher[] = [];
  if (kind !== undefined) all.push((layer) => layer.kind === kind);
  if (kernel !== undefined) all.push((layer) => square(layer.kernel, kernel));
  if (stride !== undefined) all.push((layer) => square(layer.stride, stride));
  if (groups !== undefined) all.push(width(groups, 'groups'));
  if (match.in !== undefined) all.push(width(match.in, 'in'));
  if (match.out !== undefined) all.push(width(match.out, 'out'));
  if (position !== undefined) all.push(place(position));
  if (part !== undefined) all.push((layer) => layer.part !== undefined && globMatches(part, layer.part));
  if (role !== undefined) all.push((layer) => roleOf(layer) === role);
  if (name !== undefined) all.push((layer) => namesOf(layer).some((path) => globMatches(name, path)));
  if (regex !== undefined) all.push(expression(regex));
  return (layer, index, total) => all.every((test) => test(layer, index, total));
}

/** Matches are never changed in place, so that an edit of one rule leaves the others compiled. */
const compiled = new WeakMap<Match, Matcher | MatchError>();

/**
 * The question whether every attribute that a match names fits a layer. `part` takes globs too.
 * @throws MatchError for a comparison or an expression that cannot be read, or is refused.
 */
export function compileMatch(match: Match): Matcher {
  let made = compiled.get(match);
  if (made === undefined) {
    try {
      made = compile(match);
    } catch (error) {
      if (!(error instanceof MatchError)) throw error;
      made = error;
    }
    compiled.set(match, made);
  }
  if (made instanceof MatchError) throw made;
  return made;
}

/** "name *attn2*, out >=320"; "everything" where nothing is asked. */
export const describeMatch = (match: Match): string =>
  Object.entries(match)
    .map(([k, v]) => `${k} ${v}`)
    .join(', ') || 'everything';
