import { expect, it } from 'vitest';
import type { ChatsSummary } from '#src/tasks/language/chats/summary.ts';
import { leftWords, replacedWords, speakerLine } from './voice.ts';

const none = { media: 0, system: 0, forwarded: 0, others: 0, old: 0 };
const summary = (left: object, replaced: object): ChatsSummary => ({
  ...{ formats: [], speakers: [], speaker: '', conversations: 0, verdict: null, sample: [] },
  left: { ...none, ...left },
  replaced: { ...{ name: 0, phone: 0, 'e-mail': 0, link: 0, account: 0, address: 0 }, ...replaced },
});

it('counts what is left out and replaced, and nothing else', () => {
  expect(leftWords(summary({ media: 1, system: 1200 }, {}))).toBe(
    '1 picture, film or other file, 1\u2009200 lines of the app itself and deleted messages',
  );
  expect(replacedWords(summary({}, { name: 2, address: 1 }))).toBe('2 names, 1 postal address');
  expect(leftWords(summary({}, {})) + replacedWords(summary({}, {}))).toBe('');
});

it('says how much somebody says, and since when', () => {
  const time = (text: string) => Date.parse(text);
  const line = (first: string, last: string) =>
    speakerLine({ name: 'A', turns: 1, words: 2000, first: time(first), last: time(last) });
  expect(line('2021-05-01', '2021-05-31')).toMatch(/^1 message, 2\u2009000 words, [^,]*2021$/);
  expect(line('2021-05-01', '2023-06-01')).toMatch(/2021 to .*2023$/);
  expect(speakerLine({ name: 'A', turns: 2, words: 1, first: null, last: null })).toBe('2 messages, 1 word');
});
