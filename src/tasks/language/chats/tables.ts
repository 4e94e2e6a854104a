/** @file Exports as tables: DiscordChatExporter's and Discord's own CSV, Signal's, and any with columns for who, when and what. */
import { firstLines } from './byLines.ts';
import { CsvSplitter } from './byRows.ts';
import { sniffDelimiter, splitRows } from '#src/tasks/table.ts';
import type { ChatFormat, ChatReader, ChatSink } from './types.ts';
import { ownSpeaker, timeOf } from './values.ts';

/** Names of columns in small letters, the best first. */
const NAMES = {
  speaker: ['author', 'sender', 'from', 'from_name', 'sender_name', 'speaker'],
  time: ['date', 'timestamp', 'time', 'datetime', 'sent_at', 'date_sent', 'sent', 'date_received'],
  text: ['content', 'contents', 'body', 'message', 'text'],
  media: ['attachments', 'attachment', 'media'],
  chat: [
    'channel',
    'conversation',
    'conversation_id',
    'conversationid',
    'thread',
    'thread_id',
    'chat',
    'group',
  ],
} as const;

type Places = Readonly<Record<keyof typeof NAMES, number>>;

/** Where the columns stand; −1: nowhere. null: it is no export of a chat. */
function placesIn(header: readonly string[]): Places | null {
  const columns = header.map((name) =>
    name
      .replace(/^\uFEFF/, '')
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '_'),
  );
  const place = (names: readonly string[]): number =>
    names.map((name) => columns.indexOf(name)).find((at) => at >= 0) ?? -1;
  const places: Places = {
    speaker: place(NAMES.speaker),
    time: place(NAMES.time),
    text: place(NAMES.text),
    media: place(NAMES.media),
    chat: place(NAMES.chat),
  };
  // Discord's own have no speaker: all is one's own.
  const own = columns.includes('contents') && columns.includes('attachments');
  return places.time >= 0 && places.text >= 0 && (places.speaker >= 0 || own) ? places : null;
}

const delimiterOf = (path: string, beginning: string): string =>
  /\.tsv$/i.test(path) ? '\t' : sniffDelimiter(beginning);

class TableReader implements ChatReader {
  readonly #sink: ChatSink;
  readonly #path: string;
  #places: Places | null = null;
  #width = 0;
  #rows: CsvSplitter | null = null;

  constructor(sink: ChatSink, path: string) {
    this.#sink = sink;
    this.#path = path;
  }

  push(piece: string): void {
    this.#rows ??= new CsvSplitter(delimiterOf(this.#path, piece), (fields, line) => this.#row(fields, line));
    this.#rows.push(piece);
  }

  end(): null {
    this.#rows?.end();
    return null;
  }

  #row(fields: readonly string[], line: number): void {
    if (!this.#places) {
      this.#places = placesIn(fields);
      this.#width = fields.length;
      return;
    }
    if (fields.length !== this.#width) {
      this.#sink.skip(`line ${line}`, `it has ${fields.length} fields, the header has ${this.#width}`);
      return;
    }
    const places = this.#places;
    const at = (name: keyof Places): string => fields[places[name]]?.trim() ?? '';
    const text = at('text');
    const speaker = places.speaker < 0 ? ownSpeaker : at('speaker');
    const kind = speaker === '' ? 'system' : text !== '' ? 'text' : at('media') === '' ? 'system' : 'media';
    this.#sink.say({
      chat: at('chat'),
      speaker: speaker === '' ? null : speaker,
      time: timeOf(at('time')),
      text,
      kind,
    });
  }
}

export const format: ChatFormat = {
  name: 'a table of messages',
  fits: (beginning, path) => {
    if (!/\.(?:csv|tsv)$/i.test(path)) return false;
    const [first = ''] = firstLines(beginning, 2);
    return placesIn(splitRows(first, delimiterOf(path, beginning))[0]?.fields ?? []) !== null;
  },
  reader: (sink, path) => new TableReader(sink, path),
};
