/** @file What is wrong with a folder of images, collected so that all of it can be shown at once. */
import type { TaskProblem } from '../types.ts';

export const problem = (
  severity: TaskProblem['severity'],
  item: string,
  message: string,
  cure?: string,
): TaskProblem => ({ severity, item, message, ...(cure !== undefined && { cure }) });
