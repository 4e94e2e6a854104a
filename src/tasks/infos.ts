/** @file What is known of all tasks without loading them: a folder with an info.ts is one. */
import type { TaskInfo } from './info.ts';

const modules = import.meta.glob<{ info: TaskInfo }>('./*/info.ts', { eager: true });

/** In the order of their names, the built-in demo's first. */
export const taskInfos: readonly TaskInfo[] = Object.values(modules)
  .map(({ info }) => info)
  .sort((a, b) => Number(b.id === 'diffusion') - Number(a.id === 'diffusion') || (a.id < b.id ? -1 : 1));

export const taskInfo = (id: string): TaskInfo | undefined => taskInfos.find((info) => info.id === id);
