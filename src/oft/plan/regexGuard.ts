/** @file Which regular expressions are run: plans travel in links, so none may make a page hang. */

/** Longest expression, in characters: LyCORIS's lists of module classes as one expression take about half. */
export const LONGEST_REGEX = 2000;

/** Largest power of a path's length that matching may take: unbounded wide repetitions in a row, one more without an anchor. */
const LARGEST_POWER = 4;

export interface RegexComplaint {
  readonly reason: string;
  readonly cure: string;
}

/** Repetition of one part of an expression: how often it occurs, and how wide it is. */
interface Atom {
  readonly group: boolean;
  /** Holds a repetition or a choice, so that repeating it can match one text in many ways. */
  readonly ambiguous: boolean;
  /** Matches more than digits or one character. */
  readonly wide: boolean;
  /** Wide unbounded repetitions in a row inside. */
  readonly power: number;
}

interface Level {
  readonly lookaround: boolean;
  power: number;
  /** The largest of the alternatives before. */
  largest: number;
  ambiguous: boolean;
  wide: boolean;
}

const narrow: Atom = { group: false, ambiguous: false, wide: false, power: 0 };
const broad: Atom = { ...narrow, wide: true };
const quantifier = /[*+?]\??|\{(\d+)(,(\d*))?\}\??/y;
const escape = /\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[\s\S])/y;
const charClass = /\[(?:\\[\s\S]|[^\]\\])*\]/y;
const groupStart = /\((\?(?::|<?[=!]|<[^>=!]+>))?/y;

const at = (pattern: RegExp, text: string, index: number): RegExpExecArray | null => {
  pattern.lastIndex = index;
  return pattern.exec(text);
};

const nested: RegexComplaint = {
  reason: 'repeats a group that itself repeats or chooses, such as (a+)+ or (a|b)*, which can take for ever.',
  cure: 'Leave out the outer repetition, or use a glob in name.',
};

/**
 * Why an expression is refused; null: it is not. Refused are nested repetitions, whose time grows exponentially with the path's length,
 * back references, many wide repetitions in a row, and what is no regular expression at all.
 */
export function regexComplaint(source: string): RegexComplaint | null {
  if (source.length > LONGEST_REGEX)
    return {
      reason: `has ${source.length} characters.`,
      cure: `Keep it within ${LONGEST_REGEX}, or split it into several rules.`,
    };
  try {
    new RegExp(source);
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message.replace(/^.*: /, '') : '';
    return {
      reason: `is no regular expression${why && ` (${why})`}.`,
      cure: 'Correct it, or use a glob in name.',
    };
  }
  const fresh = (lookaround = false): Level => ({
    lookaround,
    power: 0,
    largest: 0,
    ambiguous: false,
    wide: false,
  });
  const levels: Level[] = [fresh()];
  // Unanchored, matching starts anew at every character.
  let anchored = source.startsWith('^');
  let i = 0;
  while (i < source.length) {
    const level = levels.at(-1)!;
    let atom: Atom | null;
    const c = source[i]!;
    if (c === '(') {
      const [opening] = at(groupStart, source, i)!;
      levels.push(fresh(/[=!]$/.test(opening)));
      i += opening.length;
      continue;
    }
    if (c === '|') {
      level.largest = Math.max(level.largest, level.power);
      level.power = 0;
      level.ambiguous = true;
      if (levels.length === 1) anchored &&= source[i + 1] === '^';
      i++;
      continue;
    }
    if (c === ')') {
      levels.pop();
      const power = Math.max(level.largest, level.power);
      if (level.lookaround) {
        // Tried once and never again: its cost adds to what follows, and does not multiply it.
        const outer = levels.at(-1)!;
        outer.largest = Math.max(outer.largest, power);
        atom = { ...narrow, group: true, ambiguous: level.ambiguous };
      } else atom = { group: true, ambiguous: level.ambiguous, wide: level.wide, power };
      i++;
    } else if (c === '\\') {
      const [whole] = at(escape, source, i)!;
      if (/^\\(?:[1-9]|k)/.test(whole))
        return {
          reason: 'refers back to a group, which can take for ever.',
          cure: 'Write the text out, or use several rules.',
        };
      atom = /^\\[wWDSpP]/.test(whole) ? broad : narrow;
      i += whole.length;
    } else if (c === '[') {
      const whole = at(charClass, source, i)?.[0] ?? c;
      atom = /^\[(?:\d|\\d|-|[^\\^-])\]$|^\[[\d-]*(?:\\d)?\]$/.test(whole) ? narrow : broad;
      i += whole.length;
    } else {
      atom = c === '.' ? broad : narrow;
      i++;
    }
    // A closed group counts in the level around it.
    const around = levels.at(-1)!;
    const repeat = at(quantifier, source, i);
    let { power } = atom;
    if (repeat) {
      const [whole, from, comma, to] = repeat;
      const most = whole.startsWith('?')
        ? 1
        : from === undefined || (comma !== undefined && to === '')
          ? Infinity
          : Number(comma === undefined ? from : to);
      if (most > 1 && atom.ambiguous) return nested;
      if (most > 1 && atom.group) power = Math.max(power, atom.wide ? 1 : 0);
      else if (most > 1 && atom.wide) power = 1;
      around.ambiguous = true;
      i += whole.length;
    } else if (atom.ambiguous) around.ambiguous = true;
    around.wide ||= atom.wide;
    around.power += power;
  }
  const top = levels[0]!;
  const power = Math.max(top.largest, top.power) + (anchored ? 0 : 1);
  return power > LARGEST_POWER
    ? {
        reason: `has ${power - (anchored ? 0 : 1)} wide repetitions such as .* in a row, which can take very long.`,
        cure: 'Use fewer of them, or a glob in name, whose * costs nothing.',
      }
    : null;
}
