/** @file Diaries and notes: a line with nothing but a date begins a text of its own. */
import { firstLines, LineSplitter } from './byLines.ts';
import { CLOCK, DATE, DateOrder, isAmerican, plainly, secondsOf } from './dates.ts';
import type { ChatFormat, ChatReader, ChatSink } from './types.ts';

/** Months by the first letters of their names, in languages that have them in common or differ in them. */
const MONTHS: readonly (readonly string[])[] = [
  ['jan', 'jän', 'ene', 'gen', 'янв'],
  ['feb', 'fév', 'fev', 'фев'],
  ['mar', 'mär', 'mrt', 'мар'],
  ['apr', 'avr', 'abr', 'апр'],
  ['may', 'mai', 'mei', 'mag', 'май', 'мая'],
  ['jun', 'juin', 'giu', 'июн'],
  ['jul', 'juil', 'lug', 'июл'],
  ['aug', 'aoû', 'ago', 'авг'],
  ['sep', 'set', 'сен'],
  ['oct', 'okt', 'ott', 'out', 'окт'],
  ['nov', 'ноя'],
  ['dec', 'dez', 'déc', 'dic', 'дек'],
];

const WEEKDAY = '(?:\\p{L}{2,12}\\.?,? (?:den |the |le |el )?)?';
const TIME = `(?:[,.]? (?:um |at |à )?${CLOCK}(?: Uhr)?)?`;
const END = ':?\\s*#*$';
const START = `^(?:#{1,6} |\\*\\*)?${WEEKDAY}`;
const NUMBERS = new RegExp(`${START}${DATE}${TIME}(?:\\*\\*)?${END}`, 'iu');
/** 12. Mai 2023, 12 May 2023 */
const DAY_FIRST = new RegExp(
  `${START}(\\d{1,2})(?:\\.|st|nd|rd|th)? (?:de |of )?(\\p{L}{3,12})\\.?,? (?:de )?(\\d{4})${TIME}(?:\\*\\*)?${END}`,
  'iu',
);
/** May 12, 2023 */
const MONTH_FIRST = new RegExp(
  `${START}(\\p{L}{3,12})\\.? (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})${TIME}(?:\\*\\*)?${END}`,
  'iu',
);
/** 2023年5月12日 */
const CHINESE = new RegExp(
  `^(?:#{1,6} )?(\\d{4})年(\\d{1,2})月(\\d{1,2})日(?:[ ,，]*(?:星期|周|週)\\p{L})?${TIME}${END}`,
  'iu',
);
/** Characters of a line that is nothing but a date. */
const LONGEST = 80;

interface Heading {
  readonly date: readonly [number, number, number];
  readonly separator: string;
  readonly seconds: number;
  readonly american: boolean;
}

const monthOf = (name: string): number =>
  1 + MONTHS.findIndex((names) => names.some((beginning) => name.toLowerCase().startsWith(beginning)));

/** null: the line is none. */
export function headingOf(line: string): Heading | null {
  if (line.length > LONGEST || !/\d/.test(line)) return null;
  const text = plainly(line).trim();
  const numbers = NUMBERS.exec(text);
  const day = DAY_FIRST.exec(text);
  const month = MONTH_FIRST.exec(text);
  const chinese = CHINESE.exec(text);
  const found = numbers ?? day ?? month ?? chinese;
  if (!found) return null;
  const [, a, b, c, before, hour, minute, second, behind] = found as unknown as (string | undefined)[];
  const seconds = hour === undefined ? 0 : secondsOf(before, hour, minute!, second, behind);
  if (seconds === null) return null;
  const american = isAmerican(behind);
  const named = day ? monthOf(b!) : month ? monthOf(a!) : 0;
  if ((day ?? month) && !numbers && named === 0) return null;
  if (numbers)
    return {
      date: [Number(a), Number(b), Number(c)],
      separator: /[./-]/.exec(text)?.[0] ?? '.',
      seconds,
      american,
    };
  // The year first: no other order has it there.
  const date = day
    ? [Number(c), named, Number(a)]
    : month
      ? [Number(c), named, Number(b)]
      : [Number(a), Number(b), Number(c)];
  return { date: date as [number, number, number], separator: '-', seconds, american };
}

function reader({ say }: ChatSink): ChatReader {
  const order = new DateOrder();
  let time: number | null = null;
  let text: string[] = [];
  const finish = (): void => {
    const words = text.join('\n').trim();
    text = [];
    // The title of the whole is no day's text.
    if (words !== '' && !(time === null && /^#+ .*$/.test(words)))
      say({ chat: '', speaker: null, time, text: words, kind: 'text' });
  };
  const lines = new LineSplitter((line) => {
    const heading = headingOf(line);
    const at = heading && order.note(heading.date, heading.seconds, heading.separator, heading.american);
    if (at === null) {
      text.push(line);
      return;
    }
    finish();
    time = at;
  });
  return {
    push: (piece) => lines.push(piece),
    end: () => {
      lines.end();
      finish();
      return order.timing();
    },
  };
}

export const format: ChatFormat = {
  name: 'dated notes',
  notes: true,
  fits: (beginning, path) => {
    if (!/\.(?:txt|md)$/i.test(path)) return false;
    const lines = firstLines(beginning, 2000).filter((line) => line.trim() !== '');
    const first = lines.slice(0, 3).some((line) => headingOf(line) !== null);
    return first && lines.filter((line) => headingOf(line) !== null).length >= 3;
  },
  reader,
};
