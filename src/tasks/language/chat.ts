/** @file Chats as text by the model's own template, cut into what is given and what is to be answered. */
import { Template } from '@huggingface/jinja';

export interface Message {
  readonly role: string;
  readonly content: string;
}

/** A piece of a text; `counted`: it is to be learned. */
export interface Piece {
  readonly text: string;
  readonly counted: boolean;
}

export type Render = (messages: readonly Message[], prompt: boolean) => string;

/** Without a template: "role: content", a line each. */
const plain: Render = (messages, prompt) =>
  messages.map(({ role, content }) => `${role}: ${content}\n`).join('') + (prompt ? 'assistant: ' : '');

/**
 * @param template Jinja, as transformers' apply_chat_template reads it; null: none
 * @throws Error with the template's complaint
 */
export function renderer(template: string | null, special: Readonly<Record<string, string>>): Render {
  if (template === null) return plain;
  const compiled = new Template(template);
  return (messages, prompt) =>
    compiled.render({ ...special, messages: [...messages], add_generation_prompt: prompt });
}

/**
 * The chat in pieces. An answer is what the template adds from the prompt for it to the end of the assistant's message.
 * @throws Error where the template refuses the chat
 */
export function chatPieces(render: Render, messages: readonly Message[]): Piece[] {
  const pieces: Piece[] = [];
  let done = '';
  const add = (upTo: string, counted: boolean): void => {
    if (upTo.length > done.length && upTo.startsWith(done)) {
      pieces.push({ text: upTo.slice(done.length), counted });
      done = upTo;
    }
  };
  messages.forEach(({ role }, i) => {
    if (role !== 'assistant') return;
    add(render(messages.slice(0, i), true), false);
    add(render(messages.slice(0, i + 1), false), true);
  });
  // What follows the last answer, or all of a chat without one.
  add(render(messages, false), false);
  return pieces;
}
