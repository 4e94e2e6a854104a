/** @file What each task's data are called. */
import { taskInfo, taskInfos } from '#src/tasks/infos.ts';
import type { TaskInfo } from '#src/tasks/info.ts';
import { count } from './format.ts';

export { taskInfos };
export type { Example, Field, TaskInfo } from '#src/tasks/info.ts';

/** The task of a job; jobs are checked, so that it is always known. */
export const taskOf = (job: { readonly task: string }): TaskInfo => taskInfo(job.task) ?? taskInfos[0]!;

/** Whether a word, as in an address, names a task. */
export const isTask = (id: string): boolean => taskInfo(id) !== undefined;

/** What data consist of, and what a step takes of them where that is something else. */
const nouns: Readonly<Record<string, readonly [item: string, perStep?: string]>> = {
  diffusion: ['image'],
  'image-classification': ['image'],
  'text-classification': ['text'],
  language: ['text', 'sequence'],
  pairs: ['pair'],
};

const nounOf = ({ id }: Pick<TaskInfo, 'id'>): string => nouns[id]?.[0] ?? 'example';

/** "1 image", "58 images": items of the data; what nobody named is an example. */
export const itemsText = (info: Pick<TaskInfo, 'id'>, n: number): string =>
  `${count(n)} ${nounOf(info)}${n === 1 ? '' : 's'}`;

/** "images", "sequences": what a step takes so many of. */
export const examplesOf = (info: Pick<TaskInfo, 'id'>): string => `${nouns[info.id]?.[1] ?? nounOf(info)}s`;

/** "1 image", "8 sequences": what a step takes. */
export const examplesText = (info: Pick<TaskInfo, 'id'>, n: number): string =>
  `${count(n)} ${examplesOf(info).slice(0, n === 1 ? -1 : undefined)}`;

/** "Images", as a heading. */
export function headingOf(info: Pick<TaskInfo, 'id'>): string {
  const word = nounOf(info);
  return word === 'example' ? 'Data' : capital(`${word}s`);
}

/** "No pictures yet: add some." What a job says whose data were not chosen yet. */
export function noDataWords(info: Pick<TaskInfo, 'id'>): string {
  const noun = nounOf(info);
  const what = noun === 'image' ? 'pictures' : noun === 'example' ? 'data' : `${noun}s`;
  return `No ${what} yet: add ${what === 'data' ? 'them' : 'some'}.`;
}

export const capital = (words: string): string => `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;

/** The data are pictures: they can be mirrored. */
export const seesPictures = (info: Pick<TaskInfo, 'id' | 'shows'>): boolean =>
  info.shows === 'pictures' || nounOf(info) === 'image';

/** Pictures drawn from prompts: what the before-and-after view is made for. */
export const drawsPrompts = (info: Pick<TaskInfo, 'shows' | 'prompts'>): boolean =>
  info.shows === 'pictures' && info.prompts;

/** How prompts are asked for and answered, by what the samples are. */
export const askingOf = (info: Pick<TaskInfo, 'shows'>) =>
  ({
    pictures: { samples: 'Draw as samples', label: 'What to draw', press: 'Draw it', busy: 'Drawing …' },
    texts: {
      samples: 'Go on from, as samples',
      label: 'How the text begins, or a question',
      press: 'Go on',
      busy: 'Writing …',
    },
    labels: { samples: 'Name as samples', label: 'What to name', press: 'Name it', busy: 'Naming …' },
  })[info.shows];

/** "moon 61 %" breaks before its figure, not before the sign. */
export const unbroken = (text: string): string => text.replace(/ %/g, '\u202f%');

/** What stands where the untouched model would, whose last layer is another one. */
export const noBefore = 'The untouched model does not know these classes: its last layer is new.';

/** How a picture on the wall is read, where it is more than one thing. */
export const wallNote = ({ id }: Pick<TaskInfo, 'id'>): string | null =>
  id === 'pairs' ? 'In each: the input, what the model makes of it, and what it should be.' : null;

/** What the samples of a task are called while they are made. */
export const samplingOf = (info: Pick<TaskInfo, 'shows'>): string =>
  ({ pictures: 'Drawing samples', texts: 'Writing samples', labels: 'Naming samples' })[info.shows];
