/** @file What an export of chats holds, in words and figures for the page. */
import type { ChatsSummary } from '#src/tasks/language/chats/summary.ts';
import { count } from '../words/format.ts';

/** "May 2021" by the reader's own calendar. */
const month = (time: number): string =>
  new Date(time).toLocaleDateString(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' });

const list = (parts: readonly (string | null)[]): string => parts.filter((part) => part !== null).join(', ');
const some = (n: number, one: string, many = `${one}s`): string | null =>
  n === 0 ? null : `${count(n)} ${n === 1 ? one : many}`;

/** "1 203 messages, 9 000 words, May 2021 to June 2023" */
export function speakerLine({ turns, words, first, last }: ChatsSummary['speakers'][number]): string {
  const when =
    first === null || last === null
      ? []
      : [month(first) === month(last) ? month(first) : `${month(first)} to ${month(last)}`];
  return [some(turns, 'message'), some(words, 'word'), ...when].filter((part) => part !== null).join(', ');
}

/** What is not learned; '': all is. */
export const leftWords = ({ left }: ChatsSummary): string =>
  list([
    some(left.media, 'picture, film or other file', 'pictures, films and other files'),
    some(
      left.system,
      'line of the app itself or deleted message',
      'lines of the app itself and deleted messages',
    ),
    some(left.forwarded, 'forwarded text'),
    some(left.others, 'conversation without the speaker', 'conversations without the speaker'),
    some(left.old, 'oldest conversation, beyond what fits', 'oldest conversations, beyond what fits'),
  ]);

/** What placeholders stand for; '': nothing was replaced. */
export const replacedWords = ({ replaced }: ChatsSummary): string =>
  list([
    some(replaced.name, 'name'),
    some(replaced.phone, 'phone number'),
    some(replaced['e-mail'], 'e-mail address', 'e-mail addresses'),
    some(replaced.link, 'link'),
    some(replaced.account, 'account or card number'),
    some(replaced.address, 'postal address', 'postal addresses'),
  ]);
