/** @file All tasks: a folder with a task.ts is one. Only the worker loads them; pages and job files read infos.ts. */
import { DataError } from './files.ts';
import type { Task } from './types.ts';

const modules = import.meta.glob<{ task: Task }>('./*/task.ts', { eager: true });
const tasks = new Map(Object.values(modules).map(({ task }) => [task.id, task]));

export const taskIds: readonly string[] = [...tasks.keys()];

/** Throws DataError that lists what there is. */
export function findTask(id: string): Task {
  const task = tasks.get(id);
  if (!task)
    throw new DataError(`There is no task "${id}". There are: ${[...tasks.keys()].sort().join(', ')}.`);
  return task;
}
