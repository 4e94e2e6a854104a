/** @file What the fields of exports say. */

/** Who speaks in exports of nothing but one's own messages. */
export const ownSpeaker = 'Me';

/** Beyond it a number counts milliseconds, not seconds. */
const SECONDS = 1e11;

/** Milliseconds since 1970 of a number, of seconds or of milliseconds, or of a date in a usual form; null: it is none. */
export function timeOf(value: string | number): number | null {
  const text = String(value).trim();
  if (/^\d{9,16}(?:\.\d+)?$/.test(text)) {
    const number = Number(text);
    return number < SECONDS ? number * 1000 : number < 1000 * SECONDS ? number : number / 1000;
  }
  const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?/.exec(text);
  const time = iso
    ? Date.parse(`${iso[1]}T${iso[2]!.slice(0, 12)}${(iso[3] ?? 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`)
    : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
