/** @file Mails in one file (RFC 4155): a line "From …" begins each; of each its plain text, without what it quotes. */
import { firstLines, LineSplitter } from './byLines.ts';
import { bodyOf, type Headers, headersOf, parameterOf, senderOf, wordsOf } from './mime.ts';
import { ownWords } from './quotes.ts';
import type { ChatFormat, ChatReader, ChatSink } from './types.ts';

const BEGINS = /^From \S*.*\d/;
/** Lines of a header that are looked at. */
const MOST_HEADERS = 1000;
/** Characters of a mail's text that are read: the rest of a longer one is a log, or a file. */
const MOST_BODY = 262_144;
/** Parts in parts. */
const DEEPEST = 16;

/** "Re: Fwd: Holidays" and "AW: Holidays" are of one thread. */
const threadOf = (subject: string): string =>
  subject.replace(/^(?:\s*(?:re|aw|wg|fwd?|sv|vs|tr|rif|回复|转发|答复)(?:\[\d+\])?\s*[:：])+/i, '').trim();

/** Reads the lines of one mail. */
class Mail {
  #headers: Headers | null = null;
  /** Of the part that is read. */
  #part: Headers | null = null;
  readonly #boundaries: string[] = [];
  #lines: string[] = [];
  #length = 0;
  readonly #texts: string[] = [];
  #other = false;

  line(line: string): void {
    const boundary = this.#boundary(line);
    if (boundary !== null) {
      this.#finish();
      // What stands behind the last part is nothing.
      if (boundary) this.#boundaries.pop();
      this.#part = boundary ? new Map() : null;
    } else if (this.#part === null) {
      if (line === '') this.#begin();
      else if (this.#lines.length < MOST_HEADERS) this.#lines.push(line);
    } else if (this.#length < MOST_BODY && this.#isText()) {
      this.#lines.push(line.replace(/^>(?=>*From )/, ''));
      this.#length += line.length + 1;
    }
  }

  /** null: it is no mail. */
  end() {
    if (this.#part === null) this.#begin();
    else this.#finish();
    const headers = this.#headers;
    const from = headers?.get('from');
    if (!headers || from === undefined) return null;
    const time = Date.parse(headers.get('date') ?? '');
    const text = ownWords(this.#texts.join('\n'));
    return {
      chat: threadOf(wordsOf(headers.get('subject') ?? '')),
      speaker: senderOf(from),
      time: Number.isNaN(time) ? null : time,
      text,
      kind: text !== '' ? ('text' as const) : this.#other ? ('media' as const) : ('forwarded' as const),
    };
  }

  /** Whether the line ends a part; true: the last one. null: it is no such line. */
  #boundary(line: string): boolean | null {
    if (!line.startsWith('--')) return null;
    const at = this.#boundaries.findLastIndex(
      (b) => line.startsWith(`--${b}`) && /^(?:--)?\s*$/.test(line.slice(b.length + 2)),
    );
    if (at < 0) return null;
    this.#boundaries.splice(at + 1);
    return line.slice(this.#boundaries[at]!.length + 2).startsWith('--');
  }

  #isText(): boolean {
    const type = this.#part?.get('content-type') ?? 'text/plain';
    const attached = (this.#part?.get('content-disposition') ?? '').toLowerCase().startsWith('attachment');
    return /^\s*text\/plain/i.test(type) && !attached;
  }

  /** Headers are over. */
  #begin(): void {
    const headers = headersOf(this.#lines);
    [this.#lines, this.#length] = [[], 0];
    this.#headers ??= headers;
    this.#part = headers;
    const boundary = parameterOf(headers.get('content-type') ?? '', 'boundary');
    if (boundary !== '' && this.#boundaries.length < DEEPEST) this.#boundaries.push(boundary);
    else if (!this.#isText()) this.#other = true;
  }

  /** A part is over. */
  #finish(): void {
    if (this.#part && this.#isText() && this.#part.size + this.#lines.length > 0) {
      const text = bodyOf(this.#part, this.#lines.join('\n'));
      if (text.trim() !== '') this.#texts.push(text);
    }
    [this.#lines, this.#length] = [[], 0];
  }
}

function reader({ say, skip }: ChatSink): ChatReader {
  let mail: Mail | null = null;
  let blank = true;
  let number = 0;
  let begun = 0;
  const finish = (): void => {
    const turn = mail?.end();
    if (turn) say(turn);
    else if (mail) skip(`line ${begun}`, 'what begins there is no mail');
  };
  const lines = new LineSplitter((line) => {
    number++;
    if (blank && BEGINS.test(line)) {
      finish();
      mail = new Mail();
      begun = number;
    } else mail?.line(line);
    blank = line === '';
  });
  return {
    push: (piece) => lines.push(piece),
    end: () => {
      lines.end();
      finish();
      return null;
    },
  };
}

export const format: ChatFormat = {
  name: 'mails',
  bytes: true,
  threads: true,
  fits: (beginning, path) => {
    if (!/(?:\.mbox|\.mbx|(?:^|\/)mbox)$/i.test(path)) return false;
    const [first = ''] = firstLines(beginning, 2);
    return BEGINS.test(first);
  },
  reader,
};
