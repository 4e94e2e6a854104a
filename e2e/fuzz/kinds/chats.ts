/** @file Exports of chats: made-up ones in every format and form, cut, changed and damaged; the first line of a case is the name of its file. */
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { ChatTemplate } from '#src/tasks/language/chat.ts';
import { MADE_SPEAKER, madeChat } from '#src/tasks/language/chats/testing/made.ts';
import { writers } from '#src/tasks/language/chats/testing/written.ts';
import { readDocuments } from '#src/tasks/language/data.ts';
import { Framing } from '#src/tasks/language/frame.ts';
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { bytesOf, type FuzzKind, textOf } from '../kind.ts';
import { damagedText } from '../parts/texts.ts';

/** What no made-up message says. */
const oddities = [
  ...[
    '\u200eimage omitted',
    '<Media omitted>',
    'a.jpg (file attached)',
    '31/31/31, 25:61 - x: y',
    '[',
    '> quoted',
    'From a 1',
  ],
  ...[
    '+49 170 1234567',
    'a@b.org',
    'https://example.org',
    'DE89 3704 0044 0532 0130 00',
    '=?utf-8?q?=ff?=',
    '--=-x',
    '王'.repeat(70),
  ],
  ...['1'.repeat(2000), 'a.'.repeat(2000), '\u2066\u202e', ':'.repeat(300), '"', '\\'],
];

function exported(d: Dice): string {
  const said = madeChat(2 + d.whole(30), d.whole(2 ** 30)).map((turn) => ({
    ...turn,
    text: d.chance(0.2) ? d.pick(oddities) : turn.text,
    speaker: d.chance(0.05) ? d.pick(oddities).slice(0, 120) : turn.speaker,
  }));
  const { path, text } = d.pick(Object.values(writers))(said);
  return `${d.chance(0.05) ? d.pick(['a.txt', 'a.json', 'a.csv', 'a.mbox', 'a.md', 'a.jsonl']) : path}\n${text}`;
}

export const chats: FuzzKind = {
  ending: '.chat',
  full: 5000,
  make: (seed) => {
    const d = dice(seed);
    const text = exported(d);
    return d.chance(0.5) ? bytesOf(damagedText(d, text)) : damaged(d, bytesOf(text));
  },
  read: async (input) => {
    const end = input.indexOf(10);
    const name = textOf(input.subarray(0, Math.max(0, end))).trim();
    const path = /^[\w.]{3,40}$/.test(name) ? name : 'chat.txt';
    const { problems } = await readDocuments(memoryFiles({ [path]: input.subarray(end + 1) }), {
      column: '',
      framing: new Framing(new ChatTemplate(null)),
      voice: { speaker: MADE_SPEAKER, silenceHours: 6, replace: { names: true, contacts: true } },
    });
    return problems.filter(({ severity }) => severity === 'error');
  },
};
