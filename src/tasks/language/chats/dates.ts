/** @file Dates and times of exports, in the forms of many languages; which number is the day and which the month follows from all dates of a file. */
import type { Timing } from './types.ts';

/** Marks of the direction of writing, and of the order of bytes. */
const MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
/** Spaces that do not break, narrow ones too. */
const SPACES = /[\u00a0\u2000-\u200a\u202f\u3000]/g;

/** Digits of other scripts as 0 to 9: Arabic, Persian, Devanagari, Bengali, full width … */
const plainDigits = (text: string): string =>
  text.replaceAll(/(?![0-9])\p{Nd}/gu, (c) => {
    let zero = c.charCodeAt(0);
    while (/\p{Nd}/u.test(String.fromCharCode(zero - 1))) zero--;
    return String(c.charCodeAt(0) - zero);
  });

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
};

/** The beginning of a line as a date is looked for in it: without marks, with plain spaces and digits. As long as before, but for the marks. */
export const plainly = (text: string): string =>
  isAscii(text) ? text : plainDigits(text.replaceAll(MARKS, '').replaceAll(SPACES, ' '));
/** Spaces that do not break as plain ones: nobody types them. */
export const plainSpaces = (text: string): string => (isAscii(text) ? text : text.replaceAll(SPACES, ' '));
export const unmarked = (text: string): string => (isAscii(text) ? text : text.replaceAll(MARKS, ''));

/** Words for the half of the day, before or behind the hour; those of the second half. */
const HALVES =
  '[ap]\\.? ?m\\.?|上午|下午|凌晨|清晨|早上|中午|晚上|午前|午後|오전|오후|[صم]|ق\\.ظ|ب\\.ظ|SA|CH|π\\.μ\\.|μ\\.μ\\.|de\\.|du\\.|pre podne|po podne|ÖÖ|ÖS|dop\\.|odp\\.|पूर्वाह्न|अपराह्न';
const SECOND = /^(?:p\.? ?m\.?|下午|晚上|午後|오후|م|ب\.ظ|CH|μ\.μ\.|du\.|po podne|ÖS|odp\.|अपराह्न)$/i;
const NOON = '中午';

/** A date of three numbers. */
export const DATE = '(\\d{1,4})(?:\\. ?|[/-])(\\d{1,2})(?:\\. ?|[/-])(\\d{1,4})\\.?';
/** An hour with its minutes, by either clock. */
export const CLOCK = `(?:(${HALVES}) ?)?(\\d{1,2})[:.](\\d{2})(?:[:.](\\d{2}))?(?: ?(${HALVES}))?`;

/** AM and PM in capitals, behind the time: elsewhere they are small, have dots, or stand before it. */
export const isAmerican = (half: string | undefined): boolean => half === 'AM' || half === 'PM';

const DAY = 86_400;

/** Seconds of a day by what CLOCK found; null: there is no such time. */
export function secondsOf(
  before: string | undefined,
  hour: string,
  minute: string,
  second: string | undefined,
  behind: string | undefined,
): number | null {
  const half = before ?? behind;
  let h = Number(hour);
  if (half !== undefined) {
    if (h > 12) {
      // 下午 21:04 is written, too.
      if (h > 23) return null;
    } else if (half === NOON) h = h < 6 ? h + 12 : h;
    else h = (h % 12) + (SECOND.test(half) ? 12 : 0);
  }
  const [m, s] = [Number(minute), Number(second ?? 0)];
  return h > 23 || m > 59 || s > 60 ? null : h * 3600 + m * 60 + s;
}

const ORDERS = ['DMY', 'MDY', 'YMD'] as const;
type Order = (typeof ORDERS)[number];
const PLACES: Readonly<Record<Order, readonly [year: number, month: number, day: number]>> = {
  DMY: [2, 1, 0],
  MDY: [2, 0, 1],
  YMD: [0, 1, 2],
};

const fullYear = (year: number): number => (year >= 100 ? year : year < 70 ? 2000 + year : 1900 + year);

/** Milliseconds since 1970; null: there is no such day. */
function dayOf(numbers: readonly number[], order: Order): number | null {
  const [year, month, day] = PLACES[order].map((at) => numbers[at]!) as [number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > 31 || (year > 99 && year < 1000)) return null;
  return Date.UTC(fullYear(year), month - 1, day);
}

/** A date and a time of day in one number, whatever the order: what a reader hands on before it knows it. */
const packed = ([a = 0, b = 0, c = 0]: readonly number[], seconds: number): number =>
  ((a * 100 + b) * 10_000 + c) * DAY + seconds;
const unpacked = (time: number): { readonly numbers: readonly number[]; readonly seconds: number } => {
  const seconds = time % DAY;
  const date = Math.round((time - seconds) / DAY);
  return {
    numbers: [Math.floor(date / 1_000_000), Math.floor(date / 10_000) % 100, date % 10_000],
    seconds,
  };
};

/** All dates of a file, and the order of their numbers: the one in which most of them are days; of several the one in which time goes back least; else the usual one. */
export class DateOrder {
  readonly #seen = ORDERS.map(() => ({ last: -Infinity, back: 0, none: 0 }));
  /** The last date, and the day that it is in each order. */
  #key = -1;
  #days: readonly (number | null)[] = [];
  #usual: Order | null = null;

  /**
   * Notes a date.
   * @param separator between its numbers
   * @param american its time is written as in the United States
   * @returns a number that `timing` knows the time by; null: there is no such day in any order
   */
  note(
    date: readonly [number, number, number],
    seconds: number,
    separator: string,
    american: boolean,
  ): number | null {
    const key = packed(date, 0);
    // Most messages are of the day of the last one.
    if (key !== this.#key) {
      this.#days = ORDERS.map((order) => dayOf(date, order));
      this.#key = key;
    }
    if (this.#days.every((day) => day === null)) return null;
    this.#usual ??= separator === '/' && american ? 'MDY' : 'DMY';
    for (const [i, seen] of this.#seen.entries()) {
      const day = this.#days[i] ?? null;
      if (day === null) {
        seen.none++;
        continue;
      }
      const time = day + seconds * 1000;
      if (time < seen.last) seen.back++;
      seen.last = time;
    }
    return packed(date, seconds);
  }

  /** What the numbers of `note` are as times. */
  timing(): Timing {
    const usual = this.#usual ?? 'DMY';
    const seen = (order: Order) => this.#seen[ORDERS.indexOf(order)]!;
    const orders = ORDERS.toSorted((a, b) => {
      const [x, y] = [seen(a), seen(b)];
      return x.none - y.none || x.back - y.back || Number(b === usual) - Number(a === usual);
    });
    return (time) => {
      const { numbers, seconds } = unpacked(time);
      // A message may quote another export.
      const day = orders.map((order) => dayOf(numbers, order)).find((found) => found !== null);
      return (day ?? 0) + seconds * 1000;
    };
  }
}
