/** @file A look at each image of a set before training; all that is wrong with them is collected, nothing thrown. */
import { reasonOf } from '#src/platform/refusals.ts';
import { shortened } from '#src/tasks/problems.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { LeftOut } from './foreign.ts';

/**
 * Looks at each image. Those of a kind that is not decoded are left out, by name; those with equal bytes are named. `tell` may throw to end the work:
 * that alone passes through.
 * @param look keeps what is wanted of an image and says its SHA-256; throws with a reason if it is none
 * @param unreadable what is said of one that threw
 */
export async function lookAtEach(
  paths: readonly string[],
  look: (path: string) => Promise<string>,
  unreadable: (path: string, why: string) => TaskProblem,
  tell?: Tell,
): Promise<TaskProblem[]> {
  const failed: TaskProblem[] = [];
  const twins: TaskProblem[] = [];
  const left = new LeftOut();
  const seen = new Map<string, string>();
  let good = 0;
  for (const [i, path] of paths.entries()) {
    try {
      const hash = await look(path);
      good++;
      const twin = seen.get(hash);
      if (twin === undefined) seen.set(hash, path);
      else
        twins.push({
          severity: 'warning',
          item: path,
          message: `${path} is the same image as ${twin}: it counts twice.`,
        });
    } catch (error) {
      if (!left.add(path, error)) failed.push(unreadable(path, reasonOf(error, 'it cannot be decoded')));
    }
    tell?.(i + 1, paths.length);
  }
  return [
    ...left.problems(good > 0 ? 'warning' : 'error'),
    ...shortened(failed, 'unreadable', (n) => `${n} images cannot be read.`),
    ...shortened(twins, 'twice', (n) => `${n} images are there twice.`),
  ];
}
