/** @file Regular expressions as tokenizers write them (Oniguruma's) as JavaScript's. */
import { Reason, reasonOf } from '#src/platform/refusals.ts';
import { BoundedRegex } from '#src/platform/regex/bounded.ts';
import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { countingSteps, type Finder, natively } from './finder.ts';
import { isKnownPattern, isSimple } from './knownPatterns.ts';
import type { PatternPart } from './read.ts';

/** Groups that are read alike in both; what else stands behind "(?" is refused. */
const GROUP = /^\(\?(?::|=|!|<=|<!|>|i:|<[A-Za-z_]\w*>)/;
const ESCAPE = /^\\(?:[pPx]\{[^}]*\}|k<[^>]*>|[\s\S])/u;
const QUANTIFIER = /^(?:[*+?]|\{\d*,?\d*\})/;

/** Length of the class that begins here: classes stand in classes. */
function classLength(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === '[') {
      depth++;
      if (source[i + 1] === '^') i++;
      // A bracket that comes first is a character.
      if (source[i + 1] === ']') i++;
    } else if (source[i] === ']' && --depth === 0) return i + 1 - at;
  }
  throw new Reason('a class of characters does not end');
}

/** Letters that other ones than their capital are alike to, where case does not count. */
const ALIKE: Readonly<Record<string, string>> = { s: '[sSſ]', k: '[kK\u212A]' };

/**
 * What gives nothing back once it has matched, (?>…), x*+, x++ and x?+, as a look ahead and a reference to it: JavaScript has neither.
 * @throws DataError for what cannot be said in JavaScript
 */
export function withoutAtoms(source: string): string {
  let out = '';
  let atom = 0;
  let names = 0;
  const open: { readonly at: number; readonly name: string | null; readonly folds: boolean }[] = [];
  let folds = false;
  const kept = (inner: string): string => `(?:(?=(?<kept${names}>${inner}))\\k<kept${names++}>)`;
  for (let i = 0; i < source.length;) {
    const rest = source.slice(i);
    const char = String.fromCodePoint(source.codePointAt(i)!);
    const quantifier = QUANTIFIER.exec(rest)?.[0];
    if (char === '\\') {
      const escape = ESCAPE.exec(rest)?.[0] ?? char;
      if (/^\\[1-9GKRX]/.test(escape)) throw new Reason(`${escape} is not supported`);
      atom = out.length;
      out += escape;
      i += escape.length;
    } else if (char === '[') {
      const length = classLength(source, i);
      atom = out.length;
      out += rest.slice(0, length);
      i += length;
    } else if (char === '(') {
      const group = rest.startsWith('(?') ? GROUP.exec(rest)?.[0] : '(';
      if (group === undefined) throw new Reason(`${rest.slice(0, 6)}… is not supported`);
      const name = group === '(?>' ? `kept${names++}` : null;
      open.push({ at: out.length, name, folds });
      if (group === '(?i:') folds = true;
      out += name === null ? group : `(?:(?=(?<${name}>`;
      i += group.length;
    } else if (char === ')') {
      const group = open.pop();
      out += group?.name ? `))\\k<${group.name}>)` : ')';
      atom = group?.at ?? 0;
      folds = group?.folds ?? false;
      i++;
    } else if (quantifier !== undefined && out !== '') {
      i += quantifier.length;
      const more = source[i] === '?' || source[i] === '+' ? source[i++]! : '';
      const possessive = more === '+' && !quantifier.startsWith('{');
      if (possessive) out = out.slice(0, atom) + kept(out.slice(atom) + quantifier);
      else out += quantifier + more;
    } else {
      if (folds && char > '\u007F') throw new Reason(`${char} in a group without case is not supported`);
      atom = out.length;
      out += folds ? (ALIKE[char.toLowerCase()] ?? char) : char;
      i += char.length;
    }
  }
  return out;
}

/** Longest text and expression that a pattern may be: those of the field have up to 10 and 300 characters. */
const [LONGEST_TEXT, LONGEST_REGEX] = [256, 10_000];

function plain(text: string): Finder {
  if (text.length > LONGEST_TEXT)
    throw new Reason(`its pattern “${text.slice(0, 20)}…” has more than ${LONGEST_TEXT} characters`);
  return natively(new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gu'), text);
}

/** JavaScript's own expression, global, by code points. @throws Reason where there is none */
export function jsOf(source: string): RegExp {
  const made = new SplitPreTokenizer({
    type: 'Split',
    pattern: { Regex: withoutAtoms(source) },
    behavior: 'Isolated',
    invert: false,
  });
  if (made.pattern === null) throw new Reason('it cannot be read');
  return made.pattern;
}

function finderOf(source: string): Finder {
  if (source.length > LONGEST_REGEX) throw new Reason(`it has more than ${LONGEST_REGEX} characters`);
  const made = jsOf(source);
  if (isKnownPattern(source)) return natively(made, source);
  let bounded: BoundedRegex;
  try {
    bounded = new BoundedRegex(made.source, made.flags.replace('g', ''));
  } catch (error) {
    throw new Reason(`it ${reasonOf(error, 'cannot be run within bounds')}`);
  }
  return isSimple(bounded.tree) ? natively(made, source) : countingSteps(bounded, source);
}

/** What a pattern of tokenizer.json finds, by code points. @throws Reason for an expression that cannot be run here */
export function patternOf(pattern: PatternPart): Finder {
  if ('String' in pattern) return plain(pattern.String);
  const { Regex: source } = pattern;
  try {
    return finderOf(source);
  } catch (error) {
    const reason = reasonOf(error, 'JavaScript has no such one');
    throw new Reason(
      `its regular expression ${source.length > 60 ? `${source.slice(0, 60)}…` : source} is not supported: ${reason}`,
    );
  }
}
