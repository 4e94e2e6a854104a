/** @file Sets of characters, as a regular expression names them: "\\p{L}", "[^a-c.]", "x". JavaScript itself says what is in them. */

const [UNASKED, INSIDE, OUTSIDE] = [0, 1, 2];
const PAGE = 256;

/** Answers are kept, so that each character is looked up once. */
export class CharacterSet {
  #pattern: RegExp | undefined;
  readonly #pages: (Uint8Array | undefined)[] = [];

  /**
   * @param source of one character or one class
   * @param flags of JavaScript's regular expressions: i, s, u
   */
  constructor(
    readonly source: string,
    readonly flags: string,
  ) {}

  /** @param code a code point; without the flag u a unit of UTF-16 */
  has(code: number): boolean {
    const page = (this.#pages[code >> 8] ??= new Uint8Array(PAGE));
    let answer = page[code & (PAGE - 1)]!;
    if (answer === UNASKED) {
      this.#pattern ??= new RegExp(`^(?:${escaped(this.source)})$`, this.flags.replace('m', ''));
      answer = this.#pattern.test(String.fromCodePoint(code)) ? INSIDE : OUTSIDE;
      page[code & (PAGE - 1)] = answer;
    }
    return answer === INSIDE;
  }
}

/** Brackets that stand for themselves outside of classes: "]", "{", "}". */
const escaped = (source: string): string => (/^[\]{}/]$/.test(source) ? `\\${source}` : source);
