/** @file What stands around prompts and answers: the model's chat template, nothing, lines with roles, or the job's own words. */
import { type ChatTemplate, type Message, merged, type Piece } from './chat.ts';
import { partsOf, PROMPT } from './frameText.ts';

/** How the messages of a text were put together. */
export type FrameKind = 'template' | 'lines' | 'joined' | 'custom' | 'said';

const SAID = { before: '', between: '\n', after: '' } as const;

export class Framing {
  readonly #parts: ReturnType<typeof partsOf>;

  /**
   * @param chats the model's own template, or the lines that stand for one
   * @param frame "auto", "none", or a text with {prompt} and {completion}
   */
  constructor(
    readonly chats: ChatTemplate,
    readonly frame: string = 'auto',
  ) {
    this.#parts = partsOf(frame.includes(PROMPT) ? frame : PROMPT);
  }

  /** Of what people said to one another: a model without a template sees what was said, a line break, and the answer. */
  get kindOfSaid(): FrameKind {
    return this.frame === 'auto' && !this.chats.own ? 'said' : this.kindOf(true);
  }

  /** @param pair a prompt and its completion, both plain texts, rather than messages with roles */
  kindOf(pair: boolean): FrameKind {
    if (this.frame === 'none') return 'joined';
    if (this.frame !== 'auto') return 'custom';
    if (this.chats.own) return 'template';
    // One text of both, as trl has its prompt-completion data; roles have to be told, though.
    return pair ? 'joined' : 'lines';
  }

  /** The messages as pieces of one text; what an assistant says is counted. @throws Error where the template refuses them */
  pieces(messages: readonly Message[], kind: FrameKind): Piece[] {
    if (kind === 'template' || kind === 'lines') return this.chats.pieces(messages);
    if (kind === 'joined')
      return merged(messages.map(({ role, content }) => ({ text: content, counted: role === 'assistant' })));
    const { before, between, after } = this.#partsOf(kind);
    const pieces: Piece[] = [];
    let asked: string[] = [];
    const ask = (): void => void pieces.push({ text: before + asked.join('\n') + between, counted: false });
    for (const { role, content } of messages) {
      if (role !== 'assistant') {
        asked.push(content);
        continue;
      }
      ask();
      pieces.push({ text: content + after, counted: true });
      asked = [];
    }
    if (asked.length > 0) ask();
    return merged(pieces);
  }

  #partsOf(kind: FrameKind | null): ReturnType<typeof partsOf> {
    return kind === 'said' ? SAID : this.#parts;
  }

  /** What the model goes on from, to answer the prompt. @param kind null: texts without prompts were learned */
  ask(prompt: string, kind: FrameKind | null): string {
    if (kind === 'template' || kind === 'lines')
      return this.chats.render([{ role: 'user', content: prompt }], true);
    const { before, between } = this.#partsOf(kind);
    // A space at the end belongs to the first word of the answer in most vocabularies, and is learned with it.
    return kind === 'custom' || kind === 'said' ? before + prompt + between : prompt;
  }
}

const said: Record<FrameKind, (frame: string) => string> = {
  template: () => 'the model’s chat template',
  lines: () => '“user: …”, “assistant: …”, a line each: the model has no chat template',
  joined: () => 'none: prompt and completion are one text',
  said: () => 'none: what others say, a line break, and the answer',
  custom: (frame) => `“${frame.replaceAll('\n', '\\n')}”`,
};

/** The frames of the data in words, most frequent first; samples are asked by the first. */
export function frameWords(kinds: readonly (FrameKind | null)[], frame: string): string {
  const words = ranked(kinds).map(([kind, count]) => {
    const own = kind === null ? 'none: texts as they are' : said[kind](frame);
    return count === kinds.length ? own : `${own} (${count})`;
  });
  return words.length === 0 ? 'none' : words.join('; ');
}

function ranked(kinds: readonly (FrameKind | null)[]): [FrameKind | null, number][] {
  const counts = new Map<FrameKind | null, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** How samples are asked: as most of the data are. */
export const usualKind = (kinds: readonly (FrameKind | null)[]): FrameKind | null =>
  ranked(kinds)[0]?.[0] ?? null;
