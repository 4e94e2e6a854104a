/** @file A rule's match, compiled once and asked for every layer. */
import { PlainError } from '#src/platform/refusals.ts';
import { BoundedRegex, type Steps, StepsSpent } from '#src/platform/regex/bounded.ts';
import { ruleRegex } from './regexGuard.ts';
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

/** Steps that the regular expressions of a plan may take, over all layers: half a second. Presets take 100,000 for 80 layers. */
export const PLAN_STEPS = 10_000_000;

/**
 * Whether a layer fits; `index` is its place among `total` layers. Throws StepsSpent where an expression takes more than the steps that are
 * left, which it lowers.
 */
export type Matcher = (layer: Layer, index: number, total: number, steps?: Steps) => boolean;

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

/** Names whose answers are kept: those of several models. */
const KEPT_NAMES = 20_000;

/** What was asked before is answered from memory, and costs the same steps as the first time, so that the same plan always fares the same. */
function expression(source: string): Matcher {
  const regex = ruleRegex(source);
  if (!(regex instanceof BoundedRegex))
    throw new MatchError(`its regex ${shorten(source)} ${regex.reason}`, regex.cure);
  const known = new Map<string, { readonly found: boolean; readonly cost: number }>();
  const ask = (name: string, steps: Steps): boolean => {
    let answer = known.get(name);
    if (answer) {
      steps.left -= answer.cost;
      if (steps.left < 0) throw new StepsSpent();
    } else {
      const before = steps.left;
      const found = regex.test(name, steps);
      answer = { found, cost: before - steps.left };
      if (known.size >= KEPT_NAMES) known.clear();
      known.set(name, answer);
    }
    return answer.found;
  };
  return (layer, _, __, steps = { left: PLAN_STEPS }) => namesOf(layer).some((name) => ask(name, steps));
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
  return (layer, index, total, steps) => all.every((test) => test(layer, index, total, steps));
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
