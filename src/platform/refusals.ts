/** @file Errors whose words are for people, and what of any other error may be shown: nothing. */

/** `cure`: what to do about it, where the message does not say so itself. */
export interface PlainOptions extends ErrorOptions {
  readonly cure?: string | undefined;
}

/**
 * Something is refused, and a person will read why. The message names what and where in plain words; the way out is in it, or is the `cure`,
 * which may be a standing one of the kind. An error of any other class is a mistake of the programme, and its words are shown nowhere but
 * among the details.
 */
export class PlainError extends Error {
  override readonly name: string = 'PlainError';
  readonly cure: string | undefined;

  constructor(message: string, { cure, ...options }: PlainOptions = {}) {
    super(readable(message), options);
    this.cure = cure === undefined ? undefined : readable(cure);
  }
}

/** Why a thing cannot be read, in the middle of a sentence ("it is empty, 0 bytes"): whoever catches it knows the thing's name, and the way out. */
export class Reason extends PlainError {
  override readonly name: string = 'Reason';
}

/** Line breaks and other controls, and those that turn the direction of writing: a file's words, quoted, may hold any. */
const CONTROLS = / ?[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+ ?/gu;

/** Longer than any name that a person gave. */
const LONG_WORDS = /\S{300,}/gu;

/** A message in one line; names of megabytes, and thousands of numbers, that a damaged file has filled it with are cut, so that it can be read. */
export function readable(message: string): string {
  // Expressions are for what is short: over a word of ten million letters the engine runs out of stack.
  const line = cut(message, 15_000, 5000)
    .replaceAll(CONTROLS, ' ')
    .replaceAll(LONG_WORDS, (word) => `${word.slice(0, 100)}…${word.slice(-20)}`)
    .trim();
  return cut(line, 700, 200);
}

/** Its beginning and its end, where it is longer than both and a little more. */
const cut = (text: string, first: number, last: number): string =>
  text.length <= first + last + 100 ? text : `${text.slice(0, first)} … ${text.slice(-last)}`;

/** Was it written for people? Reasons that come from another realm have lost their class, and kept their name. */
const isPlain = (thrown: unknown): thrown is Error =>
  thrown instanceof PlainError || (thrown instanceof Error && thrown.name === 'Reason');

/** Why, in the middle of a sentence, without a full stop; `otherwise` where what was thrown was not written for people. */
export const reasonOf = (thrown: unknown, otherwise: string): string =>
  isPlain(thrown) ? thrown.message.replace(/\.$/, '') : otherwise;

/** The message and, where the message does not say it, the way out: for places that show one text. */
export const inFull = ({ message, cure }: PlainError): string =>
  cure === undefined ? message : `${message} ${cure}`;

/** The way out as a field of what travels as data. */
export const withCure = ({ cure }: PlainError): { readonly cure?: string } =>
  cure === undefined ? {} : { cure };

/** A sentence about a part, from an error about what is in it: the way out stays what it was. */
export const placed = (place: string, { message, cure }: PlainError): [string, PlainOptions] => [
  `${place}: ${message}`,
  { cure },
];
