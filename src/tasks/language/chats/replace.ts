/** @file Other people's names, numbers and addresses, for which placeholders stand: the same one for the same name or number throughout. */

export type Replaced = 'name' | 'phone' | 'e-mail' | 'link' | 'account' | 'address';

export interface ReplaceOptions {
  readonly names: boolean;
  readonly contacts: boolean;
}

const LINK = /(?:https?:\/\/|\bwww\.)[^\s<>"]{3,2000}/giu;
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}/gu;
const IBAN = /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\p{L}\p{N}])/gu;
const CARD = /(?<![\p{L}\p{N}])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}])/gu;
const PHONE =
  /(?<![\p{L}\p{N}.,/:-])(?:\+\d|00\d|0\d|\(\d|\d{3}[-. ]\d{3}[-. ]\d{4}(?!\d))[\d ()/.-]{0,18}(?<=\d)(?![\p{L}\p{N}])/gu;
/** In China, where no space stands before it. */
const CHINESE_PHONE = /(?<!\d)1[3-9]\d{9}(?!\d)/gu;
/** 01.02.2023, 2023-05-12, 09.30: digits that are no number to call. */
const TIME = /^\(?\d{1,4}[./-]\d{1,2}(?:[./-]\d{1,4})?\.?$/;
const LEAST_DIGITS = 7;
const STREET =
  /(?<![\p{L}\p{N}])(?:\p{Lu}[\p{L}-]{0,40}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|ufer|damm)|\p{Lu}[\p{L}-]{1,40}[ -](?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Ufer|Damm)) ?\d{1,4} ?[a-z]?(?![\p{L}\p{N}])(?:,? (?:\d{5}|[A-Z]{1,2}-\d{4,5}) \p{Lu}[\p{L}-]{1,40})?/gu;
const ENGLISH_STREET =
  /(?<![\p{L}\p{N}])\d{1,5}[a-zA-Z]? (?:\p{Lu}[\p{L}'’]{1,30} ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Square|Terrace|Close)(?![\p{L}\p{N}])/gu;
const CHINESE_STREET =
  /\p{Script=Han}{2,12}(?:路|街|大道|巷|弄)\d{1,5}(?:号|號)(?:\d{1,4}[室栋楼幢座单元]*)?/gu;

/** ISO 13616: the remainder by 97 of the number with its beginning at the end, letters as 10 to 35. */
function isIban(text: string): boolean {
  const plain = text.replaceAll(' ', '');
  let rest = 0;
  for (const c of plain.slice(4) + plain.slice(0, 4))
    for (const digit of String(parseInt(c, 36))) rest = (10 * rest + Number(digit)) % 97;
  return rest === 1;
}

/** Luhn's sum: every second digit from the right doubled. */
function isCard(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((n, d, i) => n + (i % 2 === 0 ? d : d > 4 ? 2 * d - 9 : 2 * d), 0);
  return sum % 10 === 0;
}

const isPhone = (text: string): boolean =>
  text.replaceAll(/\D/g, '').length >= LEAST_DIGITS && !TIME.test(text);

const CONTACTS: readonly (readonly [Replaced, RegExp, (found: string) => boolean])[] = [
  ['link', LINK, () => true],
  ['e-mail', EMAIL, () => true],
  ['account', IBAN, isIban],
  ['account', CARD, isCard],
  ['address', STREET, () => true],
  ['address', ENGLISH_STREET, () => true],
  ['address', CHINESE_STREET, () => true],
  ['phone', PHONE, isPhone],
  ['phone', CHINESE_PHONE, isPhone],
];

/** Letters of a part of a name below which it may be any word. */
const LEAST_LETTERS = 3;
const WORD = /[\p{L}\p{N}]+/gu;
/** Scripts that put no space between words. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+$/u;

export class Replacer {
  readonly counts: Record<Replaced, number> = {
    ...{ name: 0, phone: 0, 'e-mail': 0 },
    ...{ link: 0, account: 0, address: 0 },
  };
  readonly #options: ReplaceOptions;
  readonly #numbers = new Map<string, number>();
  readonly #known: Record<string, number> = {};
  /** Parts of names in small letters. */
  readonly #parts = new Map<string, string>();
  readonly #unspaced: RegExp | null;

  /** @param others whose names are replaced @param own who keeps every part of the name */
  constructor(options: ReplaceOptions, others: Iterable<string>, own: string) {
    this.#options = options;
    const kept = new Set(own.toLowerCase().match(WORD) ?? []);
    const unspaced: string[] = [];
    if (options.names)
      for (const name of others)
        for (const part of name.match(WORD) ?? []) {
          const small = part.toLowerCase();
          if (kept.has(small) || this.#parts.has(small)) continue;
          const least = UNSPACED.test(part) ? 2 : LEAST_LETTERS;
          if ([...part].length < least || /^\p{N}+$/u.test(part)) continue;
          this.#parts.set(small, name);
          if (UNSPACED.test(part)) unspaced.push(part);
        }
    this.#unspaced =
      unspaced.length > 0
        ? new RegExp(unspaced.toSorted((a, b) => b.length - a.length).join('|'), 'gu')
        : null;
  }

  /** What stands for a speaker. */
  name(name: string): string {
    return this.#options.names ? this.#placeholder('name', name) : name;
  }

  text(text: string): string {
    let out = text;
    if (this.#options.contacts)
      for (const [kind, pattern, is] of CONTACTS)
        out = out.replaceAll(pattern, (found) => {
          if (!is(found)) return found;
          this.counts[kind]++;
          return this.#placeholder(kind, found.replaceAll(/[\s()/.-]/g, '').toLowerCase());
        });
    return this.#options.names ? this.#withoutNames(out) : out;
  }

  #withoutNames(text: string): string {
    const put = (name: string): string => {
      this.counts.name++;
      return this.#placeholder('name', name);
    };
    const spaced = text.replaceAll(WORD, (word) => {
      const name = this.#parts.get(word.toLowerCase());
      return name === undefined ? word : put(name);
    });
    const whole = this.#unspaced
      ? spaced.replaceAll(this.#unspaced, (part) => put(this.#parts.get(part)!))
      : spaced;
    // First name and surname are one name.
    return whole.replaceAll(/(\[name \d+\])(?: \1)+/g, '$1');
  }

  #placeholder(kind: Replaced, value: string): string {
    const key = `${kind} ${value}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = (this.#known[kind] ?? 0) + 1;
      this.#known[kind] = number;
      this.#numbers.set(key, number);
    }
    return `[${kind} ${number}]`;
  }
}
