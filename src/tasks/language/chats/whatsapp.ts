/**
 * @file WhatsApp's export of a chat as text: "12.05.23, 21:04 - Name: text" (Android), "[12.05.23, 21:04:05] Name: text" (iOS), in each language's form of
 * date; a line without one goes on with the message before. Signal's exporters write alike: "[2023-05-12 21:04] Name: text".
 */
import { firstLines, LineSplitter } from './byLines.ts';
import { CLOCK, DATE, DateOrder, isAmerican, plainly, plainSpaces, secondsOf, unmarked } from './dates.ts';
import type { ChatFormat, ChatReader, ChatSink, TurnKind } from './types.ts';
import { ATTACHED, DELETED, EDITED, OMITTED, OMITTED_IN_BRACKETS, PLACE } from './words.ts';

/** Between date and time: ", ", " ", " klo ", " à ". */
const BETWEEN = ',? (?:(?:klo|à|um|at|às|kl\\.|o) )?';
const HEAD = new RegExp(`^(?:\\[${DATE}${BETWEEN}${CLOCK}\\] ?|${DATE}${BETWEEN}${CLOCK} [-–] )`, 'iu');
/** A date, a time, and what stands around them, with their marks. */
const LONGEST_HEAD = 60;
/** Characters of a name. */
const LONGEST_NAME = 100;
/** Characters of what the app says where a message was. */
const LONGEST_PHRASE = 120;
/** What iOS puts before what it says itself. */
const OWN_MARK = '\u200e';

interface Head {
  readonly date: readonly [number, number, number];
  readonly separator: string;
  readonly seconds: number;
  readonly american: boolean;
  /** What stands behind it. */
  readonly rest: string;
}

/** The place in a line at which so many of its characters other than marks are over. */
function placeIn(line: string, count: number): number {
  let at = 0;
  for (let seen = 0; seen < count; at++) if (unmarked(line[at]!) !== '') seen++;
  return at;
}

/** null: the line begins no message. */
export function headOf(line: string): Head | null {
  const start = plainly(line.slice(0, LONGEST_HEAD));
  // Most lines that go on are told by their first letter.
  if (!/^[\d[]/.test(start)) return null;
  const found = HEAD.exec(start);
  if (!found) return null;
  const at = found[1] === undefined ? 9 : 1;
  const [a, b, c, before, hour, minute, second, behind] = found.slice(at) as (string | undefined)[];
  const seconds = secondsOf(before, hour!, minute!, second, behind);
  if (seconds === null) return null;
  const separator = start[start.indexOf(a!) + a!.length]!;
  const date = [Number(a), Number(b), Number(c)] as const;
  const american = isAmerican(behind);
  return { date, separator, seconds, american, rest: line.slice(placeIn(line, found[0].length)) };
}

/** Kind and words of what somebody said. */
function saidOf(text: string): { readonly kind: TurnKind; readonly text: string } {
  const own = text.startsWith(OWN_MARK);
  const bare = unmarked(text).trim();
  const words = bare.endsWith('>') ? bare.replace(EDITED, '') : bare;
  // What the app itself writes is short: most of what people say is seen to be none of it at once.
  const short = words.length <= LONGEST_PHRASE;
  if (short && DELETED.test(words)) return { kind: 'system', text: '' };
  const attached = /[>)]/.test(words) ? ATTACHED.exec(words)?.[0] : undefined;
  if (attached !== undefined) {
    // What was written below a picture.
    const caption = words.slice(attached.length).trim();
    return { kind: caption === '' ? 'media' : 'text', text: caption };
  }
  const omitted = short && (OMITTED_IN_BRACKETS.test(words) || OMITTED.test(words));
  if (omitted || PLACE.test(words) || words === 'null') return { kind: 'media', text: '' };
  return own || words === '' ? { kind: 'system', text: '' } : { kind: 'text', text: words };
}

class WhatsAppReader implements ChatReader {
  readonly #lines = new LineSplitter((line) => this.#line(line));
  readonly #order = new DateOrder();
  readonly #sink: ChatSink;
  #speaker: string | null = null;
  #time: number | null = null;
  #text: string[] | null = null;

  constructor(sink: ChatSink) {
    this.#sink = sink;
  }

  push(piece: string): void {
    this.#lines.push(piece);
  }

  end() {
    this.#lines.end();
    this.#finish();
    return this.#order.timing();
  }

  #line(line: string): void {
    const head = headOf(line);
    const time = head && this.#order.note(head.date, head.seconds, head.separator, head.american);
    if (!head || time === null) {
      this.#text?.push(line);
      return;
    }
    this.#finish();
    const colon = head.rest.indexOf(':');
    const name = colon < 0 ? '' : plainSpaces(unmarked(head.rest.slice(0, colon))).trim();
    const named =
      name !== '' && name.length <= LONGEST_NAME && /^ |^$/.test(head.rest.slice(colon + 1, colon + 2));
    this.#speaker = named ? name : null;
    this.#time = time;
    this.#text = [named ? head.rest.slice(colon + 1).replace(/^ /, '') : head.rest];
  }

  #finish(): void {
    if (this.#text === null) return;
    const whole = this.#text.join('\n');
    this.#text = null;
    const said = this.#speaker === null ? { kind: 'system' as const, text: '' } : saidOf(whole);
    this.#sink.say({ chat: '', speaker: this.#speaker, time: this.#time, ...said });
  }
}

/** Two messages at least, among the first lines, and one at the very beginning: texts of other kinds have dates, too. */
function fits(beginning: string): boolean {
  const lines = firstLines(beginning);
  const heads = lines.filter((line) => headOf(line)?.rest.includes(':'));
  const first = lines.find((line) => unmarked(line).trim() !== '');
  return heads.length >= 2 && first !== undefined && headOf(first) !== null;
}

export const format: ChatFormat = {
  name: 'WhatsApp',
  fits: (beginning, path) => /\.txt$/i.test(path) && fits(beginning),
  reader: (sink) => new WhatsAppReader(sink),
};

/** Pictures and files in Markdown. */
const LINKED = /!?\[[^\]\n]*\]\([^)\n]*\)/g;

/** What signal-export writes as chat.md. */
export const markdown: ChatFormat = {
  name: 'Signal',
  fits: (beginning, path) => /\.md$/i.test(path) && fits(beginning),
  reader: ({ say, skip }) =>
    new WhatsAppReader({
      skip,
      say: (turn) => {
        const text = turn.text
          .replaceAll(LINKED, '')
          .replaceAll(/[ \t]+$/gm, '')
          .trim();
        say(turn.kind === 'text' && text === '' ? { ...turn, kind: 'media', text } : { ...turn, text });
      },
    }),
};
