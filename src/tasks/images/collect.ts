/** @file Looks at every image once before training: reads, decodes, hashes; all that is wrong is collected, nothing thrown. */
import { reasonOf } from '#src/platform/refusals.ts';
import { sha256 } from '#src/tasks/digest.ts';
import { shortened } from '#src/tasks/problems.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { LeftOut } from './foreign.ts';
import type { ImageStore } from './store.ts';

/** An image that can be trained with. */
export interface GoodImage {
  readonly path: string;
  /** SHA-256 of the file. */
  readonly hash: string;
}

/**
 * Reads every image. Those of a kind that is not decoded are left out, by name. `tell` may throw to end the work: that alone passes through.
 * @returns the readable ones in the order of `paths`, by path
 */
export async function collectImages(
  store: ImageStore,
  paths: readonly string[],
  tell?: Tell,
): Promise<{ readonly images: ReadonlyMap<string, GoodImage>; readonly problems: readonly TaskProblem[] }> {
  const images = new Map<string, GoodImage>();
  const unreadable: TaskProblem[] = [];
  const twins: TaskProblem[] = [];
  const left = new LeftOut();
  const seen = new Map<string, string>();
  for (const [i, path] of paths.entries()) {
    try {
      const bytes = await store.read(path);
      await store.decode(path, bytes);
      const hash = await sha256(bytes);
      images.set(path, { path, hash });
      const twin = seen.get(hash);
      if (twin === undefined) seen.set(hash, path);
      else
        twins.push({
          severity: 'warning',
          item: path,
          message: `${path} is the same image as ${twin}: it counts twice.`,
        });
    } catch (error) {
      if (left.add(path, error)) {
        tell?.(i + 1, paths.length);
        continue;
      }
      const why = reasonOf(error, 'it cannot be decoded');
      unreadable.push({
        severity: 'error',
        item: path,
        message: `${path} cannot be read as an image: ${why}.`,
        cure: 'Replace it, or take it out of the folder.',
      });
    }
    tell?.(i + 1, paths.length);
  }
  return {
    images,
    problems: [
      ...left.problems(images.size > 0 ? 'warning' : 'error'),
      ...shortened(unreadable, (n) => `${n} more images cannot be read.`),
      ...shortened(twins, (n) => `${n} more images are there twice.`),
    ],
  };
}
