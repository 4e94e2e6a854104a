/** @file Texts cut at matches, with what becomes of the matches: 🤗 tokenizers' SplitDelimiterBehavior. */
import { type Finder, natively } from './finder.ts';
import { unknownKind } from './read.ts';

/** From, to, and whether it matched. */
export type Cut = readonly [from: number, to: number, match: boolean];
/** Cuts as they are asked for: of a book there are millions. */
export type Pattern = (text: string) => Iterable<Cut>;

/** Whole matches, and what is between them. */
export const byFinder = (finder: Finder): Pattern =>
  function* (text) {
    let end = 0;
    let last = -1;
    for (const [from, to] of finder(text)) {
      // Oniguruma's iterator takes no empty match where the last one ended.
      if (from === to && from === last) continue;
      if (from > end) yield [end, from, false];
      last = end = to;
      yield [from, to, true];
    }
    if (end < text.length) yield [end, text.length, false];
  };

/** @param regex global, of our own */
export const byRegex = (regex: RegExp): Pattern => byFinder(natively(regex));

/** Each character of a kind is a match of its own. @param kind tests one code point */
export const byCharacter = (kind: RegExp): Pattern => byRegex(new RegExp(kind.source, 'gu'));

export const inverted = (pattern: Pattern): Pattern =>
  function* (text) {
    for (const [from, to, match] of pattern(text)) yield [from, to, !match];
  };

type Place = readonly [from: number, to: number];
type Behaviour = (cuts: Iterable<Cut>) => Iterable<Place>;

/** Kept pieces by place, for each behaviour by its name in lower case without underscores. */
const behaviours: Readonly<Record<string, Behaviour>> = {
  removed: function* (cuts) {
    for (const [from, to, match] of cuts) if (!match) yield [from, to];
  },
  isolated: function* (cuts) {
    for (const [from, to] of cuts) yield [from, to];
  },
  contiguous: (cuts) => joined(cuts, (match, before) => match === before),
  mergedwithprevious: (cuts) => joined(cuts, (match, before) => match && !before),
  mergedwithnext: function* (cuts) {
    /** Where a match begins that waits for what follows it. */
    let waiting: Place | null = null;
    for (const [from, to, match] of cuts) {
      if (waiting && match) yield waiting;
      if (!match) yield [waiting ? waiting[0] : from, to];
      waiting = match ? [from, to] : null;
    }
    if (waiting) yield waiting;
  },
};

/** @param joins whether a cut goes on with the one before it; none stands before the first, which counts as no match */
function* joined(
  cuts: Iterable<Cut>,
  joins: (match: boolean, before: boolean) => boolean,
): Generator<Place, void, undefined> {
  let last: [number, number] | null = null;
  let before = false;
  for (const [from, to, match] of cuts) {
    if (last && joins(match, before)) last[1] = to;
    else {
      if (last) yield last;
      last = [from, to];
    }
    before = match;
  }
  if (last) yield last;
}

/** Where the pieces of a text are. @throws DataError for a behaviour of another name */
export function splitter(pattern: Pattern, behaviour: string): (text: string) => Iterable<Place> {
  const keep = behaviours[behaviour.toLowerCase().replaceAll('_', '')];
  if (!keep) return unknownKind('behaviour', behaviour);
  return function* (text) {
    for (const place of keep(pattern(text))) if (place[1] > place[0]) yield place;
  };
}
