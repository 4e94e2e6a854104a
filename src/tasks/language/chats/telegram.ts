/** @file Telegram's result.json: of one chat, or of a whole account with a list of them. */
import * as v from 'valibot';
import { EntryScanner } from './jsonEntries.ts';
import { untimed } from './pieces.ts';
import type { ChatFormat, ChatSink, Turn, TurnKind } from './types.ts';

const textSchema = v.union([v.string(), v.array(v.union([v.string(), v.looseObject({ text: v.string() })]))]);
const schema = v.looseObject({
  type: v.string(),
  date: v.string(),
  from: v.optional(v.nullable(v.string())),
  text: v.optional(textSchema, ''),
  forwarded_from: v.optional(v.unknown()),
});
/** What a message has that is more than words. */
const MEDIA = [
  ...['photo', 'file', 'media_type', 'location_information', 'contact_information', 'poll', 'game_title'],
  'invoice_information',
];

/** Accounts that are gone have no name. */
const GONE = 'Deleted account';

/** By the clock on the wall. */
const wallTime = (date: string): number | null => {
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(date) ? date : `${date}Z`);
  return Number.isNaN(time) ? null : time;
};

function turnOf(value: unknown, chat: string): Turn | null {
  const read = v.safeParse(schema, value);
  if (!read.success) return null;
  const { type, date, from, text } = read.output;
  const words =
    typeof text === 'string'
      ? text
      : text.map((part) => (typeof part === 'string' ? part : part.text)).join('');
  const bare = words.trim() === '';
  const kind: TurnKind =
    type !== 'message'
      ? 'system'
      : read.output.forwarded_from !== undefined
        ? 'forwarded'
        : !bare
          ? 'text'
          : MEDIA.some((key) => read.output[key] !== undefined)
            ? 'media'
            : 'system';
  const speaker = from ?? (type === 'message' ? GONE : null);
  return { chat, speaker, time: wallTime(date), text: words.trim(), kind };
}

function scanner({ say, skip }: ChatSink): EntryScanner {
  let chats = 0;
  let name = '';
  return new EntryScanner({
    wanted: (key) => key === 'messages',
    field: (key, value) => {
      if (key === 'name') name = value;
    },
    close: () => {
      chats++;
    },
    entry: (value, i) => {
      const turn = turnOf(value, `${chats} ${name}`);
      if (turn) say(turn);
      else skip(`entry ${i + 1}`, 'it is no message');
    },
  });
}

export const format: ChatFormat = {
  name: 'Telegram',
  fits: (beginning, path) =>
    /\.json$/i.test(path) &&
    /^\s*\{/.test(beginning) &&
    /"messages"\s*:\s*\[/.test(beginning) &&
    /"date"\s*:\s*"\d{4}-\d\d-\d\dT/.test(beginning) &&
    /"(?:from|from_id|actor|date_unixtime|text_entities)"\s*:/.test(beginning),
  reader: (sink) => {
    const entries = scanner(sink);
    return untimed(entries);
  },
};
