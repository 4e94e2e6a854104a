/** @file Lines of a text that comes in pieces. */
import { LONGEST_TEXT } from '#src/platform/limits.ts';
import { Reason } from '#src/platform/refusals.ts';

/** Hands on the lines of pieces, without their ends (\n, \r\n). */
export class LineSplitter {
  #rest: string[] = [];
  #held = 0;
  readonly #line: (line: string) => void;

  constructor(line: (line: string) => void) {
    this.#line = line;
  }

  /** @throws Reason for a line that never ends */
  push(piece: string): void {
    let from = 0;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', from)) {
      this.#give(piece.slice(from, at));
      from = at + 1;
    }
    if (from === piece.length) return;
    this.#rest.push(piece.slice(from));
    this.#held += piece.length - from;
    if (this.#held > LONGEST_TEXT)
      throw new Reason(`a line of it has more than ${LONGEST_TEXT.toLocaleString('en')} characters`);
  }

  end(): void {
    if (this.#held > 0) this.#give('');
  }

  #give(last: string): void {
    const line = this.#held > 0 ? this.#rest.join('') + last : last;
    if (this.#held > 0) [this.#rest, this.#held] = [[], 0];
    this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}

/** The whole lines of a file's beginning. */
export const firstLines = (beginning: string, most = 400): string[] => beginning.split(/\r?\n/, most);
