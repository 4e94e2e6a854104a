/** @file What is wrong with data that are made on the page, in the words of that page: there nobody has folders or writes files. */
import type { Remark } from '#workers/protocol.ts';
import type { Collection } from './collection.svelte.ts';

interface Said {
  readonly message?: string;
  readonly cure?: string;
}

const verb = (n: number, one: string, many: string): string => (n === 1 ? one : many);

/** By kind; n: things that it is said of. */
const WORDS: Readonly<Record<string, (n: number, counted: string) => Said>> = {
  'no-caption': (n, counted) => ({
    message: `${counted} ${verb(n, 'has', 'have')} no caption.`,
    cure: `Write under ${verb(n, 'it what it shows', 'each what it shows')}, or give all the same words.`,
  }),
  'no-class': (n, counted) => ({
    message: `${counted} ${verb(n, 'is', 'are')} in no class yet.`,
    cure: 'Choose some among your pictures, then “Move to …”.',
  }),
  'no-label': (n, counted) => ({
    message: `${counted} ${verb(n, 'has', 'have')} no label yet.`,
    cure: 'Name the labels, then give each text one: the keys 1 to 9 do it in the list.',
  }),
  'one-class': () => ({ cure: 'Add some of at least one other class.' }),
  'no-data': () => ({ message: 'There is nothing to learn from yet.', cure: 'Add some above.' }),
  'no-target': (n) => ({
    message: `${n} ${verb(n, 'input has', 'inputs have')} no wanted picture.`,
    cure: `Add what is wanted beside ${verb(n, 'it', 'each')}, or take ${verb(n, 'it', 'them')} out.`,
  }),
  'no-input': (n) => ({
    message: `${n} wanted ${verb(n, 'picture has', 'pictures have')} no input.`,
    cure: `Add the input beside ${verb(n, 'it', 'each')}, or take ${verb(n, 'it', 'them')} out.`,
  }),
  'no-sides': () => ({ cure: 'Add pictures on both sides above: what is given, and what is wanted of it.' }),
  'wrong-row': (n) => ({
    cure: `Go on without ${verb(n, 'it', 'them')}: what could be read is above, and can be changed there.`,
  }),
  'unread-list': () => ({ cure: 'Go on without it: what it does not say can be said above.' }),
  unreadable: (n) => ({ cure: `Take ${verb(n, 'it', 'them')} out, or add another copy.` }),
};

/** The remark as it is said where the data are `collection`; null: they are files. */
export function remarkOn(collection: Collection | null, remark: Remark): Remark {
  const n = remark.items?.length ?? 1;
  const said = collection && remark.kind !== undefined && WORDS[remark.kind]?.(n, collection.counted(n));
  // Sentences about single files say how files are mended.
  return said ? { ...remark, ...said, ...(said.message !== undefined && { listed: [] }) } : remark;
}
