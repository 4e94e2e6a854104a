/** @file Rows of delimiter-separated values (RFC 4180) that come in pieces, by the same rules as whole tables. */
import { LONGEST_TEXT } from '#src/platform/limits.ts';
import { Reason } from '#src/platform/refusals.ts';
import { splitRows } from '#src/tasks/table.ts';

/** Hands on rows: pieces are cut where a row ends for certain, outside of quotes. */
export class CsvSplitter {
  #held = '';
  /** Characters of what is held that were looked at. */
  #seen = 0;
  /** Behind the last row that ended. */
  #done = 0;
  #quoted = false;
  /** Nothing stands yet in the field, so that a quote begins one. */
  #fresh = true;
  #line = 1;
  readonly #delimiter: string;
  readonly #row: (fields: readonly string[], line: number) => void;

  constructor(delimiter: string, row: (fields: readonly string[], line: number) => void) {
    this.#delimiter = delimiter;
    this.#row = row;
  }

  /** @throws Reason for a row that never ends */
  push(piece: string): void {
    this.#held += piece;
    this.#look();
    this.#hand(this.#done);
    if (this.#held.length > LONGEST_TEXT)
      throw new Reason(
        `a row of it has more than ${LONGEST_TEXT.toLocaleString('en')} characters: a quote in it does not end`,
      );
  }

  end(): void {
    this.#hand(this.#held.length);
  }

  #look(): void {
    const text = this.#held;
    // A quote at the end may be the first of two.
    for (; this.#seen < text.length - 1; this.#seen++) {
      const c = text[this.#seen]!;
      if (this.#quoted) {
        if (c !== '"') continue;
        if (text[this.#seen + 1] === '"') this.#seen++;
        else this.#quoted = false;
      } else if (c === '"' && this.#fresh) [this.#quoted, this.#fresh] = [true, false];
      else if (c === this.#delimiter) this.#fresh = true;
      else if (c === '\n') [this.#fresh, this.#done] = [true, this.#seen + 1];
      else if (c !== '\r') this.#fresh = false;
    }
  }

  #hand(to: number): void {
    if (to === 0) return;
    const whole = this.#held.slice(0, to);
    for (const { fields, line } of splitRows(whole, this.#delimiter))
      this.#row(fields, this.#line + line - 1);
    for (let at = whole.indexOf('\n'); at >= 0; at = whole.indexOf('\n', at + 1)) this.#line++;
    this.#held = this.#held.slice(to);
    this.#seen -= to;
    this.#done = 0;
  }
}
