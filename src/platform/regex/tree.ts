/** @file A regular expression of JavaScript as a tree: what stands one after the other, the choices, the repetitions. */
import { Reason } from '../refusals.ts';

export type Tree =
  /** One character, as its source says: "a", "\\d", "[^.]", "." */
  | { readonly kind: 'character'; readonly source: string; readonly flags: string }
  | { readonly kind: 'sequence'; readonly items: readonly Tree[] }
  | { readonly kind: 'choice'; readonly items: readonly Tree[] }
  | {
      readonly kind: 'repeat';
      readonly body: Tree;
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
    }
  | { readonly kind: 'look'; readonly body: Tree; readonly behind: boolean; readonly negated: boolean }
  /** Matches in one way only: (?>…) of other languages. */
  | { readonly kind: 'atomic'; readonly body: Tree }
  | { readonly kind: 'edge'; readonly edge: 'begin' | 'end' | 'word' | 'within'; readonly flags: string };

/** Groups in groups: real expressions have three or four. */
const DEEPEST = 100;

const refersBack = (): Reason =>
  new Reason('refers back to a group, which can take for ever', { cure: 'Write the text out.' });

const QUANTIFIER = /(?:[*+?]|\{(\d+)(,(\d*))?\})(\??)/y;
const ESCAPE = {
  unicode:
    /\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[^])/uy,
  plain: /\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|0[0-7]{0,2}|(?!c)[^])/y,
};
const CLASS = /\[(?:\\[^]|[^\]\\])*\]/y;
const GROUP = /\((?:\?(?:(<?[=!])|<([^>=!]+)>|([ims]*)(?:-([ims]*))?:))?/y;
/** What stands for (?>…) where there are no such groups: a look ahead, and what it found (tokenizers' expressions are written so). */
const ATOMIC_BEGIN = /\(\?:\(\?=\(\?<(kept\d+)>/y;

/**
 * @param source what `new RegExp(source, flags)` takes: it is not checked here
 * @throws Reason for references back, and for groups nested too deep
 */
export function readRegex(source: string, flags: string): Tree {
  const unicode = flags.includes('u');
  const named = /\(\?<[^=!]/.test(source);
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at += found[0].length;
    return found;
  };

  const choice = (inner: string, depth: number): Tree => {
    if (depth > DEEPEST)
      throw new Reason(`has groups nested deeper than ${DEEPEST}`, { cure: 'Leave groups out.' });
    const items: Tree[] = [];
    let sequence: Tree[] = [];
    while (at < source.length && source[at] !== ')') {
      if (source[at] === '|') {
        at++;
        items.push({ kind: 'sequence', items: sequence });
        sequence = [];
      } else sequence.push(repeated(term(inner, depth)));
    }
    const last: Tree = { kind: 'sequence', items: sequence };
    return items.length === 0 ? last : { kind: 'choice', items: [...items, last] };
  };

  const repeated = (body: Tree): Tree => {
    const found = next(QUANTIFIER);
    if (!found) return body;
    const [whole, from, comma, to, lazy] = found;
    const least = from === undefined ? (whole.startsWith('+') ? 1 : 0) : Number(from);
    const most =
      from === undefined
        ? whole.startsWith('?')
          ? 1
          : Infinity
        : comma === undefined
          ? least
          : to === ''
            ? Infinity
            : Number(to);
    return { kind: 'repeat', body, least, most, lazy: lazy === '?' };
  };

  const group = (inner: string, depth: number): Tree => {
    const atomic = next(ATOMIC_BEGIN);
    if (atomic) {
      const body = choice(inner, depth + 1);
      const end = `))\\k<${atomic[1]!}>)`;
      if (!source.startsWith(end, at)) throw refersBack();
      at += end.length;
      return { kind: 'atomic', body };
    }
    const [, look, , on, off] = next(GROUP)!;
    const kept = [...inner].filter((flag) => !(off ?? '').includes(flag)).join('');
    const body = choice(kept + [...(on ?? '')].filter((flag) => !kept.includes(flag)).join(''), depth + 1);
    at++;
    return look === undefined
      ? body
      : { kind: 'look', body, behind: look.startsWith('<'), negated: look.endsWith('!') };
  };

  const term = (inner: string, depth: number): Tree => {
    const c = source[at]!;
    if (c === '(') return group(inner, depth);
    if (c === '^' || c === '$') {
      at++;
      return { kind: 'edge', edge: c === '^' ? 'begin' : 'end', flags: inner };
    }
    if (c === '[') return { kind: 'character', source: next(CLASS)![0], flags: inner };
    if (c !== '\\') {
      const whole = unicode ? String.fromCodePoint(source.codePointAt(at)!) : c;
      at += whole.length;
      return { kind: 'character', source: whole, flags: inner };
    }
    // "\c" without a letter is a backslash, and a "c" after it.
    const whole = next(unicode ? ESCAPE.unicode : ESCAPE.plain)?.[0] ?? '';
    if (whole === '') at++;
    if (/^\\[1-9]/.test(whole) || (whole === '\\k' && (unicode || named))) throw refersBack();
    if (/^\\[bB]$/.test(whole))
      return { kind: 'edge', edge: whole === '\\b' ? 'word' : 'within', flags: inner };
    return { kind: 'character', source: whole === '' ? '\\\\' : whole, flags: inner };
  };

  return choice([...flags].filter((flag) => 'imsu'.includes(flag)).join(''), 0);
}
