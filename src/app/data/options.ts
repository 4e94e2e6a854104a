/** @file A task's options as they are typed: held to the same schema as job files, so that what the page accepts can be saved and opened again. */
import * as v from 'valibot';
import type { TaskInfo } from '#src/tasks/info.ts';

const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What is wrong with a value of an option, as a sentence; null: nothing. */
export function optionProblem(info: Pick<TaskInfo, 'entries'>, key: string, value: unknown): string | null {
  const schema = info.entries[snake(key)];
  if (!schema) return null;
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return null;
  const allowed = /allowed: (.*)$/.exec(parsed.issues[0].message)?.[1];
  return allowed ? `Allowed: ${allowed}` : 'This cannot be.';
}

/** The numbers of a typed list: "0.485, 0.456" or "[0.485 0.456]"; what is none becomes NaN, which no option takes. */
export const numbersIn = (text: string): number[] =>
  text
    .replaceAll(/[[\]]/g, ' ')
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map(Number);
