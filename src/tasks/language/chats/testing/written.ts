/** @file Conversations as each kind of export writes them: for tests, fuzzers and benches. */

export interface Said {
  readonly speaker: string;
  /** Milliseconds since 1970, whole seconds; forms without seconds cut them. */
  readonly time: number;
  readonly text: string;
}

export interface Written {
  readonly path: string;
  readonly text: string;
  /** The form says no seconds. */
  readonly minutes?: true;
}

const two = (n: number): string => String(n).padStart(2, '0');
/** @param exact the minute has its seconds behind it */
const parts = (time: number, exact = false) => {
  const d = new Date(time);
  const [Y, M, D, h, m, s] = [
    ...[d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes()],
    d.getUTCSeconds(),
  ] as [number, number, number, number, number, number];
  const twelve = h % 12 === 0 ? 12 : h % 12;
  return { Y, M, D, h, m: exact ? `${two(m)}:${two(s)}` : two(m), y: two(Y % 100), twelve };
};
type Parts = ReturnType<typeof parts>;

/** Date and time by the settings of a phone. */
export const dateForms: Readonly<Record<string, (p: Parts) => string>> = {
  german: ({ D, M, y, h, m }) => `${two(D)}.${two(M)}.${y}, ${two(h)}:${m}`,
  british: ({ D, M, Y, h, m }) => `${two(D)}/${two(M)}/${Y}, ${two(h)}:${m}`,
  american: ({ D, M, y, twelve, h, m }) => `${M}/${D}/${y}, ${twelve}:${m}\u202f${h < 12 ? 'AM' : 'PM'}`,
  australian: ({ D, M, Y, twelve, h, m }) => `${D}/${M}/${Y}, ${twelve}:${m} ${h < 12 ? 'am' : 'pm'}`,
  'american by 24 hours': ({ D, M, y, h, m }) => `${M}/${D}/${y}, ${two(h)}:${m}`,
  swedish: ({ D, M, Y, h, m }) => `${Y}-${two(M)}-${two(D)} ${two(h)}:${m}`,
  dutch: ({ D, M, Y, h, m }) => `${two(D)}-${two(M)}-${Y} ${two(h)}:${m}`,
  finnish: ({ D, M, Y, h, m }) => `${D}.${M}.${Y} klo ${h}.${m.replace(':', '.')}`,
  french: ({ D, M, Y, h, m }) => `${two(D)}/${two(M)}/${Y} à ${two(h)}:${m}`,
  chinese: ({ D, M, Y, twelve, h, m }) => `${Y}/${M}/${D} ${h < 12 ? '上午' : '下午'}${twelve}:${m}`,
  japanese: ({ D, M, Y, h, m }) => `${Y}/${two(M)}/${two(D)} ${h}:${m}`,
  korean: ({ D, M, Y, twelve, h, m }) => `${Y}. ${M}. ${D}. ${h < 12 ? '오전' : '오후'} ${twelve}:${m}`,
  spanish: ({ D, M, y, twelve, h, m }) =>
    `${D}/${M}/${y}, ${twelve}:${m}\u00a0${h < 12 ? 'a.\u00a0m.' : 'p.\u00a0m.'}`,
  arabic: ({ D, M, Y, twelve, h, m }) =>
    `${D}\u200f/${M}\u200f/${Y}, ${twelve}:${m} ${h < 12 ? 'ص' : 'م'}`.replaceAll(/\d/g, (c) =>
      String.fromCharCode(0x660 + Number(c)),
    ),
};

const android =
  (form: (p: Parts) => string, end = '\n') =>
  (said: readonly Said[]): Written => ({
    path: 'chat.txt',
    minutes: true,
    text: said.map(({ speaker, time, text }) => `${form(parts(time))} - ${speaker}: ${text}${end}`).join(''),
  });

/** With seconds behind the minutes, marks before what has them, and lines that end as Windows has them. */
const ios =
  (form: (p: Parts) => string) =>
  (said: readonly Said[]): Written => ({
    path: '_chat.txt',
    text: said
      .map(({ speaker, time, text }, i) => {
        return `${i % 3 === 1 ? '\u200e' : ''}[${form(parts(time, true))}] ${speaker}: ${text}\r\n`;
      })
      .join(''),
  });

const iso = (time: number): string => new Date(time).toISOString().slice(0, 19);
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const telegramMessage = ({ speaker, time, text }: Said, id: number) => ({
  ...{
    id,
    type: 'message',
    date: iso(time),
    date_unixtime: String(time / 1000),
    from: speaker,
    from_id: `user${id}`,
  },
  text: text.length % 3 === 0 ? [text.slice(0, 2), { type: 'bold', text: text.slice(2) }] : text,
});

/** Every format in every form, by name. */
export const writers: Readonly<Record<string, (said: readonly Said[]) => Written>> = {
  ...Object.fromEntries(
    Object.entries(dateForms).flatMap(([name, form]) => [
      [`whatsapp, android, ${name}`, android(form)],
      [`whatsapp, ios, ${name}`, ios(form)],
    ]),
  ),
  telegram: (said) => ({
    path: 'result.json',
    text: JSON.stringify(
      { name: 'A', type: 'personal_chat', id: 1, messages: said.map(telegramMessage) },
      null,
      1,
    ),
  }),
  'telegram, an account': (said) => ({
    path: 'result.json',
    text: JSON.stringify({
      about: 'Here is the data you requested.',
      chats: {
        about: 'x',
        list: [{ name: 'A', type: 'personal_chat', id: 1, messages: said.map(telegramMessage) }],
      },
    }),
  }),
  discord: (said) => ({
    path: 'general.json',
    text: JSON.stringify({
      guild: { id: '1', name: 'G' },
      channel: { id: '2', name: 'general' },
      messages: said.map(({ speaker, time, text }, i) => ({
        ...{
          id: String(i),
          type: i % 2 ? 'Reply' : 'Default',
          timestamp: `${iso(time)}+00:00`,
          content: text,
        },
        author: { id: '7', name: speaker, nickname: speaker, isBot: false },
        attachments: [],
      })),
    }),
  }),
  'discord, a table': (said) => ({
    path: 'general.csv',
    text: `AuthorID,Author,Date,Content,Attachments,Reactions\n${said
      .map(
        ({ speaker, time, text }) =>
          `"1",${cell(speaker)},"${iso(time)}.0000000+00:00",${cell(text)},"",""\n`,
      )
      .join('')}`,
  }),
  'signal, a table': (said) => ({
    path: 'messages.csv',
    text: `conversation;sender;sent_at;body\r\n${said
      .map(({ speaker, time, text }) => `A;${cell(speaker)};${time};${cell(text)}\r\n`)
      .join('')}`,
  }),
  'signal-export, JSON': (said) => ({
    path: 'data.json',
    text: said
      .map(({ speaker, time, text }) =>
        JSON.stringify({
          date: iso(time).replace('T', ' '),
          sender: speaker,
          body: text,
          quote: '',
          attachments: [],
        }),
      )
      .join('\n'),
  }),
  'signal-export, Markdown': (said) => ({
    path: 'chat.md',
    text: said
      .map(({ speaker, time, text }) => `[${iso(time).replace('T', ' ')}] ${speaker}: ${text}\n`)
      .join(''),
  }),
  'signal-cli': (said) => ({
    path: 'received.jsonl',
    text: said
      .map(({ speaker, time, text }, i) => {
        const dataMessage = { timestamp: time, message: text, groupInfo: { groupId: 'g' } };
        const received = {
          envelope: { source: '+10', sourceName: speaker, timestamp: time, dataMessage },
          account: '+1',
        };
        return JSON.stringify(i % 2 ? { jsonrpc: '2.0', method: 'receive', params: received } : received);
      })
      .join('\n'),
  }),
  mails: (said) => ({
    path: 'mails.mbox',
    text: said
      .map(({ speaker, time, text }, i) => {
        const utf8 = [...new TextEncoder().encode(text)];
        const base64 = btoa(String.fromCharCode(...utf8)).replaceAll(/.{76}/g, '$&\n');
        const quoted = utf8.map((b) =>
          b > 32 && b < 127 && b !== 61
            ? String.fromCharCode(b)
            : `=${b.toString(16).toUpperCase().padStart(2, '0')}`,
        );
        const lines = Array.from({ length: Math.ceil(quoted.length / 20) }, (_, k) =>
          quoted.slice(20 * k, 20 * k + 20).join(''),
        );
        const name = btoa(String.fromCharCode(...new TextEncoder().encode(speaker)));
        return [
          `From a@example.org ${new Date(time).toUTCString()}`,
          `From: =?UTF-8?B?${name}?= <a@example.org>`,
          'Subject: Re: Holidays',
          `Date: ${new Date(time).toUTCString()}`,
          'Content-Type: multipart/mixed;',
          ' boundary="=-x"',
          '',
          '--=-x',
          'Content-Type: text/plain; charset=UTF-8',
          `Content-Transfer-Encoding: ${i % 2 ? 'base64' : 'quoted-printable'}`,
          '',
          i % 2 ? base64 : lines.join('=\n'),
          '',
          '> what was said before',
          '--=-x',
          'Content-Type: application/pdf',
          'Content-Disposition: attachment',
          '',
          'JVBERi0=',
          '--=-x--',
          '',
          '',
        ]
          .filter((line) => !(i % 2 && line === '> what was said before'))
          .join('\n');
      })
      .join(''),
  }),
};
