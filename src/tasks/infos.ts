/** @file What is known of all tasks without loading them. */
import type { TaskInfo } from './info.ts';
import * as list from './list.ts';

/** In the order of the page: the built-in demo's first. */
export const taskInfos: readonly TaskInfo[] = Object.values(list).sort((a, b) => a.rank - b.rank);

export const taskInfo = (id: string): TaskInfo | undefined => taskInfos.find((info) => info.id === id);
