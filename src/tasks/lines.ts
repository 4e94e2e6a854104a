/** @file Long texts in pieces: their lines, and the entries of a list of JSON. Neither a list of all lines nor one run of the parser over the whole stands between two breaths. */
import type { Breath } from '#src/platform/breath.ts';

/** Lines of a text, without their ends: \n or \r\n. */
export function* linesIn(text: string): Generator<string, void, undefined> {
  for (let from = 0; from <= text.length;) {
    const at = text.indexOf('\n', from);
    const end = at < 0 ? text.length : at;
    yield text.slice(from, at > from && text[at - 1] === '\r' ? at - 1 : end);
    from = end + 1;
  }
}

/** Characters after which the walk over a text looks whether a breath is due. */
const STRIDE = 65_536;

const codes = (characters: string): readonly number[] => Array.from(characters, (c) => c.charCodeAt(0));
const [QUOTE, ESCAPE, COMMA] = codes('"\\,') as [number, number, number];
const opening = new Set(codes('[{'));
const closing = new Set(codes(']}'));

/** Places of the commas between the entries of a list, as far as it is one; null: nothing yet, for a while. */
function* commasIn(text: string, from: number, end: number): Generator<number | null, void, undefined> {
  let depth = 0;
  let quoted = false;
  for (let i = from; i < end; i++) {
    if (i % STRIDE === 0) yield null;
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === ESCAPE) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    else if (c === COMMA) {
      if (depth === 0) yield i;
    } else if (opening.has(c)) depth++;
    else if (closing.has(c)) depth--;
  }
}

/**
 * The entries of a list of JSON, each parsed by itself: what stands between commas is JSON throughout exactly where the whole is.
 * @returns null for what is no list, or no JSON
 */
export async function entriesIn(text: string, breath: Breath): Promise<unknown[] | null> {
  const list = /^[ \t\r\n]*\[/.exec(text);
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text[end - 1]!)) end--;
  if (!list || list[0].length >= end || text[end - 1] !== ']') return null;
  end--;
  let from = list[0].length;
  const entries: unknown[] = [];
  const read = (to: number): void => {
    entries.push(JSON.parse(text.slice(from, to)));
    from = to + 1;
  };
  if (/^[ \t\r\n]*$/.test(text.slice(from, end))) return [];
  try {
    for (const at of commasIn(text, from, end)) {
      if (at !== null) read(at);
      if (breath.due) await breath.take();
    }
    read(end);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
  return entries;
}
