/** @file Entries of the lists of a large JSON file, one by one, while it comes in pieces: neither the text nor what it says is ever there as a whole. */
import { LONGEST_TEXT } from '#src/platform/limits.ts';
import { Reason } from '#src/platform/refusals.ts';

const code = (character: string): number => character.charCodeAt(0);
const [QUOTE, ESCAPE, COMMA] = [code('"'), code('\\'), code(',')];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [code('['), code(']'), code('{'), code('}')];
/** Objects in objects: exports of chats have four. */
const DEEPEST = 1000;

/** An object or a list that has begun. */
interface Level {
  readonly list: boolean;
  /** The key that it stands at in the object around it. */
  readonly at: string;
  /** Of the value that comes next, in an object. */
  key: string;
}

export interface EntrySink {
  /** Whether objects in a list are handed on. @param key that the list stands at; '': it is the whole file, or stands in a list */
  readonly wanted: (key: string) => boolean;
  /** An object of a wanted list; undefined: it is no JSON. @param i counts all from 0 */
  readonly entry: (value: unknown, i: number) => void;
  /** A text outside of entries. @param depth of the object that has the key, from 1 */
  readonly field: (key: string, value: string, depth: number) => void;
  /** An object or list outside of entries has ended. @param depth of what it stood in, 0: it was the whole */
  readonly close?: (depth: number) => void;
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Of a text as it stands in the file, quotes and all; '' for one that is no JSON. */
const textIn = (written: string): string => {
  const read = parsed(written);
  return typeof read === 'string' ? read : '';
};

export class EntryScanner {
  #text = '';
  /** The next character to look at. */
  #at = 0;
  /** Where the entry or text that has begun stands; −1: none has. */
  #from = -1;
  #quoted = false;
  /** Objects and lists open within an entry; 0: there is no entry. */
  #within = 0;
  #count = 0;
  readonly #levels: Level[] = [];
  readonly #sink: EntrySink;

  constructor(sink: EntrySink) {
    this.#sink = sink;
  }

  /** @throws Reason for an entry or a depth that no export has */
  push(piece: string): void {
    const keep = this.#from < 0 ? this.#at : this.#from;
    this.#text = this.#text.slice(keep) + piece;
    this.#at -= keep;
    if (this.#from >= 0) this.#from = 0;
    if (this.#text.length > LONGEST_TEXT + piece.length)
      throw new Reason(`an entry of it has more than ${LONGEST_TEXT.toLocaleString('en')} characters`);
    this.#scan();
  }

  /** @throws Reason for a file that ends before its lists do */
  end(): void {
    if (this.#levels.length > 0 || this.#within > 0 || this.#quoted)
      throw new Reason('it ends in the middle: it is no whole JSON. Export it anew');
  }

  #scan(): void {
    const text = this.#text;
    while (this.#at < text.length) {
      if (this.#quoted) {
        if (!this.#skipText(text)) return;
        continue;
      }
      const c = text.charCodeAt(this.#at);
      if (c === QUOTE) {
        this.#quoted = true;
        if (this.#within === 0) this.#from = this.#at;
      } else if (this.#within > 0) this.#inEntry(c, text);
      else this.#between(c);
      this.#at++;
    }
  }

  /** To behind the end of a text; false: it does not end here. */
  #skipText(text: string): boolean {
    for (let i = this.#at; ; i++) {
      const end = text.indexOf('"', i);
      if (end < 0) {
        // An escape may be cut in two: what is before it is done.
        let back = text.length;
        while (back > this.#at && text.charCodeAt(back - 1) === ESCAPE) back--;
        this.#at = back;
        return false;
      }
      let escapes = 0;
      while (end - escapes > this.#at && text.charCodeAt(end - escapes - 1) === ESCAPE) escapes++;
      i = end;
      if (escapes % 2 === 1) continue;
      this.#quoted = false;
      this.#at = end + 1;
      if (this.#within === 0) this.#said(text.slice(this.#from, end + 1));
      return true;
    }
  }

  /** A text outside of entries: a key, or the value of one. */
  #said(written: string): void {
    this.#from = -1;
    const level = this.#levels.at(-1);
    if (!level || level.list) return;
    if (level.key === '') level.key = textIn(written);
    else this.#sink.field(level.key, textIn(written), this.#levels.length);
  }

  #inEntry(c: number, text: string): void {
    if (c === OPEN_OBJECT || c === OPEN_LIST) this.#within++;
    else if ((c === CLOSE_OBJECT || c === CLOSE_LIST) && --this.#within === 0) {
      this.#sink.entry(parsed(text.slice(this.#from, this.#at + 1)), this.#count++);
      this.#from = -1;
    }
  }

  #between(c: number): void {
    const levels = this.#levels;
    const level = levels.at(-1);
    if (c === COMMA) {
      if (level) level.key = '';
    } else if (c === OPEN_OBJECT || c === OPEN_LIST) {
      if (c === OPEN_OBJECT && level?.list && this.#sink.wanted(level.at)) {
        [this.#within, this.#from] = [1, this.#at];
        return;
      }
      if (levels.length >= DEEPEST) throw new Reason(`it has more than ${DEEPEST} lists in lists`);
      levels.push({ list: c === OPEN_LIST, at: level && !level.list ? level.key : '', key: '' });
    } else if (c === CLOSE_OBJECT || c === CLOSE_LIST) {
      levels.pop();
      this.#sink.close?.(levels.length);
    }
  }
}
