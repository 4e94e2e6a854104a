/** @file Texts cut at matches, with what becomes of the matches: 🤗 tokenizers' SplitDelimiterBehavior. */
import { type Finder, natively } from './finder.ts';
import { unknownKind } from './read.ts';

/** From, to, and whether it matched. */
export type Cut = readonly [from: number, to: number, match: boolean];
export type Pattern = (text: string) => Cut[];

/** Whole matches, and what is between them. */
export const byFinder =
  (finder: Finder): Pattern =>
  (text) => {
    const cuts: Cut[] = [];
    let end = 0;
    let last = -1;
    finder(text, (from, to) => {
      // Oniguruma's iterator takes no empty match where the last one ended.
      if (from === to && from === last) return;
      if (from > end) cuts.push([end, from, false]);
      last = end = to;
      cuts.push([from, to, true]);
    });
    if (end < text.length) cuts.push([end, text.length, false]);
    return cuts;
  };

/** @param regex global, of our own */
export const byRegex = (regex: RegExp): Pattern => byFinder(natively(regex));

/** Each character of a kind is a match of its own. @param kind tests one code point */
export const byCharacter = (kind: RegExp): Pattern => byRegex(new RegExp(kind.source, 'gu'));

export const inverted =
  (pattern: Pattern): Pattern =>
  (text) =>
    pattern(text).map(([from, to, match]) => [from, to, !match]);

/** Kept pieces by place, for each behaviour by its name in lower case without underscores. */
const behaviours: Readonly<Record<string, (cuts: readonly Cut[]) => (readonly [number, number])[]>> = {
  removed: (cuts) => cuts.flatMap(([from, to, match]) => (match ? [] : [[from, to] as const])),
  isolated: (cuts) => cuts.map(([from, to]) => [from, to]),
  contiguous: (cuts) => joined(cuts, (match, before) => match === before),
  mergedwithprevious: (cuts) => joined(cuts, (match, before) => match && !before),
  mergedwithnext: (cuts) => {
    const turned = cuts.map(([from, to, match]): Cut => [-to, -from, match]).reverse();
    return joined(turned, (match, before) => match && !before)
      .map(([from, to]) => [-to, -from] as const)
      .reverse();
  },
};

/** @param joins whether a cut goes on with the one before it; none stands before the first, which counts as no match */
function joined(
  cuts: readonly Cut[],
  joins: (match: boolean, before: boolean) => boolean,
): (readonly [number, number])[] {
  const out: [number, number][] = [];
  let before = false;
  for (const [from, to, match] of cuts) {
    const last = out.at(-1);
    if (last && joins(match, before)) last[1] = to;
    else out.push([from, to]);
    before = match;
  }
  return out;
}

/** Where the pieces of a text are. @throws DataError for a behaviour of another name */
export function splitter(
  pattern: Pattern,
  behaviour: string,
): (text: string) => (readonly [number, number])[] {
  const keep = behaviours[behaviour.toLowerCase().replaceAll('_', '')];
  if (!keep) return unknownKind('behaviour', behaviour);
  return (text) => keep(pattern(text)).filter(([from, to]) => to > from);
}
