/** @file Discord: DiscordChatExporter's JSON, and messages.json of the data that Discord hands out, which are one's own messages alone. */
import * as v from 'valibot';
import { EntryScanner } from './jsonEntries.ts';
import type { ChatFormat, ChatSink, Turn } from './types.ts';
import { untimed } from './pieces.ts';
import { ownSpeaker, timeOf } from './values.ts';

const list = v.optional(v.array(v.unknown()), []);
const exported = v.looseObject({
  type: v.string(),
  timestamp: v.string(),
  content: v.string(),
  author: v.looseObject({ name: v.string(), nickname: v.optional(v.nullable(v.string())) }),
  attachments: list,
  stickers: list,
  embeds: list,
});
const handedOut = v.looseObject({
  Timestamp: v.string(),
  Contents: v.optional(v.nullable(v.string()), ''),
  Attachments: v.optional(v.nullable(v.string()), ''),
});

/** What people write: all else is the service's, such as "pinned a message". */
const WRITTEN: ReadonlySet<string> = new Set(['Default', 'Reply', '0', '19']);

function exportedTurn(value: unknown): Turn | null {
  const read = v.safeParse(exported, value);
  if (!read.success) return null;
  const { type, timestamp, content, author, attachments, stickers, embeds } = read.output;
  const text = content.trim();
  const more = attachments.length + stickers.length + embeds.length > 0;
  const kind = !WRITTEN.has(type) ? 'system' : text !== '' ? 'text' : more ? 'media' : 'system';
  return { chat: '', speaker: author.nickname ?? author.name, time: timeOf(timestamp), text, kind };
}

function ownTurn(value: unknown): Turn | null {
  const read = v.safeParse(handedOut, value);
  if (!read.success) return null;
  const { Timestamp, Contents, Attachments } = read.output;
  const text = (Contents ?? '').trim();
  const kind = text !== '' ? 'text' : (Attachments ?? '') === '' ? 'system' : 'media';
  return { chat: '', speaker: ownSpeaker, time: timeOf(Timestamp), text, kind };
}

const reading =
  (key: string, turnOf: (value: unknown) => Turn | null) =>
  ({ say, skip }: ChatSink) => {
    const entries = new EntryScanner({
      wanted: (at) => at === key,
      field: () => undefined,
      entry: (value, i) => {
        const turn = turnOf(value);
        if (turn) say(turn);
        else skip(`entry ${i + 1}`, 'it is no message');
      },
    });
    return untimed(entries);
  };

export const format: ChatFormat = {
  name: 'Discord',
  fits: (beginning, path) =>
    /\.json$/i.test(path) &&
    /^\s*\{\s*"(?:guild|channel)"\s*:/.test(beginning) &&
    beginning.includes('"messages"'),
  reader: reading('messages', exportedTurn),
};

export const ownData: ChatFormat = {
  name: 'Discord, one’s own messages',
  fits: (beginning, path) =>
    /\.json$/i.test(path) &&
    /^\s*\[\s*\{/.test(beginning) &&
    /"Timestamp"\s*:/.test(beginning) &&
    /"Contents"\s*:/.test(beginning),
  reader: reading('', ownTurn),
};
