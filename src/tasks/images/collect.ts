/** @file Looks at every image once before training: reads, decodes, hashes; all that is wrong is collected, nothing thrown. */
import { sha256 } from '#src/tasks/digest.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { lookAtEach } from './look.ts';
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
  const problems = await lookAtEach(
    paths,
    async (path) => {
      const bytes = await store.read(path);
      await store.decode(path, bytes);
      const hash = await sha256(bytes);
      images.set(path, { path, hash });
      return hash;
    },
    (path, why) => ({
      severity: 'error',
      item: path,
      message: `${path} cannot be read as an image: ${why}.`,
      cure: 'Take it out, or add another copy.',
    }),
    tell,
  );
  return { images, problems };
}
