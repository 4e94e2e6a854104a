/** @file What a person collects on the page: pictures or texts with their words and classes, as plain data. */
import type { Source } from '#workers/protocol.ts';

export type FileSource = Extract<Source, { kind: 'files' }>;

/** What a task's data consist of, and so how they are shown: pictures with captions, pictures in classes, texts in classes, texts and answers, pictures in pairs. */
export type MadeKind = 'pictures' | 'classes' | 'texts' | 'chats' | 'pairs';

const KINDS: Readonly<Record<string, MadeKind>> = {
  diffusion: 'pictures',
  'image-classification': 'classes',
  'text-classification': 'texts',
  language: 'chats',
  pairs: 'pairs',
};

/** How data of a task are made on the page; null: they are picked only. */
export const madeKind = (task: string): MadeKind | null => KINDS[task] ?? null;

/** What one side of a chat says. */
export interface Turn {
  readonly role: string;
  readonly content: string;
}

/** Of a pair, the picture that is to come of the other. */
export interface Wanted {
  readonly name: string;
  readonly blob: Blob;
}

export interface Item {
  /** The same through all changes. */
  readonly id: number;
  /** Of a picture its path; of a text nothing. */
  readonly name: string;
  /** The picture; null: the item is its words. */
  readonly blob: Blob | null;
  /** Caption, text, or what a person says; null: none was given. */
  readonly words: string | null;
  /** Class; null: in none yet. */
  readonly label: string | null;
  /** What is to be answered, or of texts in classes the second of two; null: the words are a text of their own. */
  readonly answer: string | null;
  /** A chat of many turns; left out: it is none. */
  readonly chat?: readonly Turn[];
  /** Of pairs, what is wanted; null or left out: nothing yet. */
  readonly wanted?: Wanted | null;
}

/** Equal parts of two contents are the same objects: what was undone costs nothing to keep. */
export interface Content {
  readonly items: readonly Item[];
  /** In the order of the page; some may be empty. */
  readonly classes: readonly string[];
  /** What the data themselves hold out to judge by; left out: nothing. */
  readonly heldout?: Content;
}

export const EMPTY: Content = { items: [], classes: [] };

/** Columns that a job says its texts are in; '': by their usual names. */
export interface Columns {
  readonly text: string;
  readonly label: string;
  /** Of a second text. */
  readonly pair?: string;
}
export const USUAL: Columns = { text: '', label: '' };

let last = 0;
/** An item with a number of its own. */
export const newItem = (given: Partial<Omit<Item, 'id'>>): Item => ({
  ...{ name: '', blob: null, words: null, label: null, answer: null },
  ...given,
  id: ++last,
});

/** Classes of items in the order in which they come, behind those given. */
export const classesWith = (classes: readonly string[], items: readonly Item[]): string[] => [
  ...new Set([...classes, ...items.flatMap(({ label }) => label ?? [])]),
];
