/** @file The one table of words: what figures and settings of the page mean, each in two sentences. Whatever explains a word takes it from here. */
import { graph } from './glossary/graph.ts';
import { judging } from './glossary/judging.ts';
import { keeping } from './glossary/keeping.ts';
import { layers } from './glossary/layers.ts';
import { learning } from './glossary/learning.ts';
import { preparing } from './glossary/preparing.ts';
import { samples } from './glossary/samples.ts';
import { turning } from './glossary/turning.ts';
import type { Entry } from './glossary/entry.ts';

export type { WordPicture } from './glossary/entry.ts';

const table = {
  ...learning,
  ...judging,
  ...preparing,
  ...samples,
  ...turning,
  ...layers,
  ...graph,
  ...keeping,
};

export type WordId = keyof typeof table;

export interface Word extends Entry {
  readonly id: WordId;
  readonly see: readonly WordId[];
}

export const isWord = (id: string): id is WordId => Object.hasOwn(table, id);

/** What the table says of a word. */
export const wordOf = (id: WordId): Word => {
  const entry: Entry = table[id];
  return { ...entry, id, see: (entry.see ?? []).filter(isWord) };
};

/** All words by their terms' alphabet. */
export const words: readonly Word[] = (Object.keys(table) as WordId[])
  .map(wordOf)
  .sort((a, b) => a.term.localeCompare(b.term, 'en'));

/** Where the glossary says it, as a link. */
export const wordAddress = (id: WordId): string => `#/words/${id}`;

const metrics: Readonly<Record<string, WordId>> = {
  accuracy: 'accuracy',
  'accuracy by class': 'accuracy-by-class',
  F1: 'f1',
  perplexity: 'perplexity',
  PSNR: 'psnr',
};

/** The word for what held-out data are measured by. */
export const wordOfMetric = (name: string): WordId => metrics[name] ?? 'score';

const options: Readonly<Record<string, WordId>> = {
  sampler: 'sampler',
  offsetNoise: 'offset-noise',
  latents: 'latents',
  captionLines: 'caption',
  loss: 'loss-kind',
  lossOn: 'loss',
  length: 'token',
  newTokens: 'token',
  silenceHours: 'silence',
  replaceNames: 'placeholder',
  replaceContacts: 'placeholder',
  temperature: 'temperature',
  topP: 'top-p',
  head: 'last-layer',
  classWeights: 'class-weights',
  labelSmoothing: 'label-smoothing',
  side: 'picture-size',
  width: 'picture-size',
  height: 'picture-size',
  fit: 'picture-fit',
  normalise: 'normalise',
  layout: 'axes',
  delta: 'delta',
  order: 'order',
};

/** The word for an option of a task; undefined: its help says it all. */
export const wordOfOption = (key: string): WordId | undefined => options[key];
