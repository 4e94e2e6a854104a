/** @file Chats as text by the model's own template, cut into what is given and what is to be answered. */
import { readable, Reason } from '#src/platform/refusals.ts';
import { BoundedTemplate, TemplateLimit } from './template.ts';

/** What a template sees of a message; keys beyond these are handed on as they are (tool_calls, name …). */
export interface Message {
  readonly role: string;
  readonly content: string;
  readonly [key: string]: unknown;
}

/** A piece of a text; `counted`: it is to be learned. */
export interface Piece {
  readonly text: string;
  readonly counted: boolean;
}

/** Around what a template marks as an answer: noncharacters of Unicode, which no text has. */
const [OPEN, CLOSE] = ['\uFDD0', '\uFDD1'];
/** Marks stand where the tags of transformers' extension stand, white space cut as there. */
const withMarks = (template: string): string =>
  template.replaceAll(
    /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
    (_, left: string, end: string | undefined, right: string) =>
      `{%${left} if true %}${end ? CLOSE : OPEN}{% endif ${right}%}`,
  );

/** A token in brackets, as models end a turn: <|im_end|>, </s>, <end_of_turn>. */
const TURN_END = /^\s*<(?:\|[^|>\s]{1,40}\||\/?[a-z_]{1,40})>/;

/** What the reader of templates calls by JavaScript's names, in words. `none` is Jinja's own. */
const inWords: readonly (readonly [RegExp, string])[] = [
  [/\b(?:Undefined|Null)Value\b/g, 'nothing'],
  [/\bStringValue\b/g, 'a text'],
  [/\b(?:Integer|Float|Numeric)Value\b/g, 'a number'],
  [/\bBooleanValue\b/g, 'true or false'],
  [/\b(?:Array|Tuple)Value\b/g, 'a list'],
  [/\bFunctionValue\b/g, 'a function'],
  [/\b(?:Object|KeywordArguments|Slice)Value\b/g, 'an object'],
  [/\bis not a function\b/g, 'is no function'],
  [/\bis not iterable\b/g, 'is no list'],
  [/ (?:or undefined|on undefined values)\b/g, ''],
  [/\bundefined\b/g, 'nothing'],
  [/\bnull\b/g, 'none'],
];

/**
 * Why a template refuses a chat, or cannot be read. What it says itself (raise_exception) and what the reader of templates says of it comes as
 * plain errors, and helps whoever mends it; errors of the language do not.
 */
export function templateReason(error: unknown): string {
  const own = error instanceof Error && !/^(?:Type|Range|Reference)Error$/.test(error.name);
  const said = own ? readable(error.message.trim().split('\n')[0]!).replace(/\.$/, '') : '';
  return said === ''
    ? 'it asks for what this chat does not have'
    : inWords.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), said);
}

/** What to do where a template fails on a chat. */
export const templateCure = (error: unknown): string =>
  error instanceof TemplateLimit
    ? 'Repair chat_template in tokenizer_config.json, or remove it.'
    : 'Change the chat, or take it out.';

const lengthOf = (messages: readonly Message[]): number =>
  messages.reduce((n, { content }) => n + content.length, 0);

/** Without a template: "role: content", a line each. */
const plain = (messages: readonly Message[], prompt: boolean): string =>
  messages.map(({ role, content }) => `${role}: ${content}\n`).join('') + (prompt ? 'assistant: ' : '');

export class ChatTemplate {
  /** The model's own: it writes start and end by itself. */
  readonly own: boolean;
  readonly #render: (messages: readonly Message[], prompt: boolean) => string;

  /**
   * @param template Jinja, as transformers' apply_chat_template reads it; null: none
   * @throws Error with the template's complaint
   */
  constructor(
    template: string | null,
    readonly special: Readonly<Record<string, string>> = {},
  ) {
    this.own = template !== null;
    const compiled = template === null ? null : new BoundedTemplate(withMarks(template));
    this.#render = compiled
      ? (messages, prompt) =>
          compiled.render(
            { ...special, messages: [...messages], add_generation_prompt: prompt },
            { length: lengthOf(messages), messages: messages.length },
          )
      : plain;
  }

  /**
   * @param prompt with the beginning of an answer at the end
   * @throws Error where the template refuses the chat
   */
  render(messages: readonly Message[], prompt: boolean): string {
    return this.#render(messages, prompt).replaceAll(OPEN, '').replaceAll(CLOSE, '');
  }

  /**
   * The chat in pieces. An answer is what the template marks ({% generation %}), else from the prompt for it to the end of the turn,
   * its end token too, but not the line break behind that.
   *
   * @param all everything is to be learned
   * @throws Error where the template refuses the chat, or writes answers that cannot be found again
   */
  pieces(messages: readonly Message[], all = false): Piece[] {
    const raw = this.#render(messages, false);
    if (all) return merged([{ text: this.render(messages, false), counted: true }]);
    if (raw.includes(OPEN))
      return merged(
        raw.split(new RegExp(`([${OPEN}${CLOSE}])`)).map((text, i, parts) => ({
          text: text === OPEN || text === CLOSE ? '' : text,
          counted: parts[i - 1] === OPEN,
        })),
      );
    return this.#cut(messages, raw);
  }

  #cut(messages: readonly Message[], whole: string): Piece[] {
    const pieces: Piece[] = [];
    let done = 0;
    messages.forEach(({ role, content }, i) => {
      if (role !== 'assistant') return;
      const said = content.trim();
      const asked = this.#beginning(whole, messages.slice(0, i), true, done);
      const begin = whole.indexOf(said, asked ?? done);
      if (begin < 0)
        throw new Reason(
          'it changes the answers, so that what is to be learned cannot be told. Learn everything, or mark the answers in the template with {% generation %}',
        );
      let from = asked ?? begin;
      // A space is what the model writes after "[/INST]".
      while (asked === null && from > done && whole[from - 1] === ' ') from--;
      const close = begin + said.length;
      const told = this.#beginning(whole, messages.slice(0, i + 1), false, close);
      const tail = told === null ? (TURN_END.exec(whole.slice(close))?.[0] ?? '') : whole.slice(close, told);
      // White space ends an answer only where nothing else does.
      const to = close + (tail.trim() === '' ? tail : tail.trimEnd()).length;
      pieces.push(
        { text: whole.slice(done, from), counted: false },
        { text: whole.slice(from, to), counted: true },
      );
      done = to;
    });
    return merged([...pieces, { text: whole.slice(done), counted: false }]);
  }

  /** Length of the chat's beginning, where the whole begins with it: some templates write what is last in another way. */
  #beginning(whole: string, messages: readonly Message[], prompt: boolean, least: number): number | null {
    let text: string;
    try {
      text = this.render(messages, prompt);
    } catch (error) {
      if (error instanceof TemplateLimit) throw error;
      return null;
    }
    return text.length >= least && whole.startsWith(text) ? text.length : null;
  }
}

/** Without empty pieces, and neighbours of a kind in one. */
export function merged(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (piece.text === '') continue;
    if (last?.counted === piece.counted)
      out[out.length - 1] = { text: last.text + piece.text, counted: last.counted };
    else out.push(piece);
  }
  return out;
}
