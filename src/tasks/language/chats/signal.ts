/** @file Signal in lines of JSON: signal-export's data.json, and what signal-cli receives. */
import * as v from 'valibot';
import { firstLines, LineSplitter } from './byLines.ts';
import type { ChatFormat, ChatSink, Turn } from './types.ts';
import { untimed } from './pieces.ts';
import { ownSpeaker, timeOf } from './values.ts';

const body = v.optional(v.nullable(v.string()), '');
const attachments = v.optional(v.nullable(v.array(v.unknown())), []);
/** signal-export. */
const exported = v.looseObject({
  date: v.union([v.string(), v.number()]),
  sender: v.string(),
  body,
  attachments,
});
const message = v.looseObject({
  timestamp: v.optional(v.number()),
  message: body,
  attachments,
  destination: v.optional(v.nullable(v.string())),
  groupInfo: v.optional(v.looseObject({ groupId: v.string() })),
});
/** signal-cli: with or without the frame of its JSON-RPC. */
const received = v.looseObject({
  envelope: v.looseObject({
    source: v.optional(v.nullable(v.string())),
    sourceName: v.optional(v.nullable(v.string())),
    timestamp: v.optional(v.number()),
    dataMessage: v.optional(message),
    syncMessage: v.optional(v.looseObject({ sentMessage: v.optional(message) })),
  }),
});
const framed = v.looseObject({ params: received });

const turn = (
  chat: string,
  speaker: string | null,
  time: number | null,
  said: v.InferOutput<typeof message>,
): Turn => {
  const text = (said.message ?? '').trim();
  const kind = text !== '' ? 'text' : (said.attachments ?? []).length > 0 ? 'media' : 'system';
  return { chat, speaker, time, text, kind };
};

/** null: it is no message of Signal's. */
function turnOf(value: unknown): Turn | null {
  const simple = v.safeParse(exported, value);
  if (simple.success) {
    const { date, sender, ...said } = simple.output;
    return turn('', sender, timeOf(date), { message: said.body, attachments: said.attachments });
  }
  const whole = v.safeParse(
    v.union([
      received,
      v.pipe(
        framed,
        v.transform(({ params }) => params),
      ),
    ]),
    value,
  );
  if (!whole.success) return null;
  const { source, sourceName, timestamp, dataMessage, syncMessage } = whole.output.envelope;
  const sent = syncMessage?.sentMessage;
  const said = dataMessage ?? sent;
  // Receipts, and that somebody types.
  if (!said) return { chat: '', speaker: null, time: null, text: '', kind: 'system' };
  const other = sent ? sent.destination : source;
  const chat = said.groupInfo?.groupId ?? other ?? '';
  return turn(
    chat,
    sent ? ownSpeaker : (sourceName ?? source ?? null),
    said.timestamp ?? timestamp ?? null,
    said,
  );
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

function reader({ say, skip }: ChatSink) {
  let number = 0;
  const lines = new LineSplitter((line) => {
    number++;
    if (line.trim() === '') return;
    const read = turnOf(parsed(line));
    if (read) say(read);
    else skip(`line ${number}`, 'it is no message');
  });
  return untimed(lines);
}

export const format: ChatFormat = {
  name: 'Signal',
  fits: (beginning, path) => {
    if (!/\.(?:json|jsonl|ndjson)$/i.test(path)) return false;
    // The last line may be cut.
    const lines = firstLines(beginning, 4).filter((line) => line.trim() !== '');
    const first = lines[0];
    return first !== undefined && turnOf(parsed(first)) !== null;
  },
  reader,
};
