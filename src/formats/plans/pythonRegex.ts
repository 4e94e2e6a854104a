/** @file Patterns of Python's `re` and `fnmatch` as JavaScript's regular expressions. */

import { regexComplaint } from '#src/oft/plan/regexGuard.ts';

/** Characters that mean themselves, in both languages. */
export const escapeRegex = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/**
 * A pattern of Python's `re`, as JavaScript writes it; undefined where JavaScript has no such pattern, or where it could take for ever
 * on a path.
 */
export function fromPython(pattern: string): string | undefined {
  const source = pattern
    .replaceAll('(?P<', '(?<')
    .replaceAll(/(?<!\\)((?:\\\\)*)\\A/g, '$1^')
    .replaceAll(/(?<!\\)((?:\\\\)*)\\Z/g, '$1$');
  // Inline flags, comments, conditionals: no counterpart, and without the `u` flag some would pass with another meaning.
  if (/\(\?[aiLmsux#(P]/.test(source)) return undefined;
  return regexComplaint(`^(?:${source})$`) === null ? source : undefined;
}

/** Alternatives in as few expressions as the longest allowed length permits. */
export function joined(
  alternatives: readonly string[],
  wrap: (source: string) => string = (s) => s,
): string[] {
  const sources: string[] = [];
  for (const alternative of alternatives) {
    const more = sources.length > 0 ? `${sources.at(-1)!}|${alternative}` : alternative;
    if (sources.length > 0 && regexComplaint(wrap(more)) === null) sources[sources.length - 1] = more;
    else sources.push(alternative);
  }
  return sources.map(wrap);
}

/** A pattern of Python's `fnmatch`, without anchors: `*` any run, `?` one character, `[seq]`, `[!seq]`. */
export function fromFnmatch(pattern: string): string {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    const end = c === '[' ? pattern.indexOf(']', pattern[i + 1] === '!' ? i + 3 : i + 2) : -1;
    if (c === '*') source += '.*';
    else if (c === '?') source += '.';
    else if (end > 0) {
      const inside = pattern.slice(i + 1, end).replaceAll(/[\\[\]^]/g, String.raw`\$&`);
      source += `[${inside.replace(/^!/, '^')}]`;
      i = end;
    } else source += escapeRegex(c);
  }
  return source;
}
