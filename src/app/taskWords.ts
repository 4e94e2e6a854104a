/** @file What each task's data are called. */
import { taskInfo, taskInfos } from '#src/tasks/infos.ts';
import type { TaskInfo } from '#src/tasks/info.ts';

export { taskInfos };
export type { Field } from '#src/tasks/info.ts';

/** The task of a job; jobs are checked, so that it is always known. */
export const taskOf = (job: { readonly task: string }): TaskInfo => taskInfo(job.task) ?? taskInfos[0]!;

const nouns: Readonly<Record<string, readonly [one: string, many: string]>> = {
  diffusion: ['image', 'images'],
  'image-classification': ['image', 'images'],
  'text-classification': ['text', 'texts'],
  language: ['sequence', 'sequences'],
  pairs: ['pair', 'pairs'],
};

/** "images", "texts", "pairs"; what nobody named is an example. */
export const examplesOf = ({ id }: Pick<TaskInfo, 'id'>): string => nouns[id]?.[1] ?? 'examples';

/** "Images", as a heading. */
export function headingOf(info: Pick<TaskInfo, 'id'>): string {
  const word = info.id === 'language' ? 'texts' : examplesOf(info);
  return word === 'examples' ? 'Data' : word[0]!.toUpperCase() + word.slice(1);
}

/** Pictures drawn from prompts: what the before-and-after view is made for. */
export const drawsPrompts = (info: Pick<TaskInfo, 'shows' | 'prompts'>): boolean =>
  info.shows === 'pictures' && info.prompts;
