/** @file Pictures of the data made small, to be looked at: one after the other, so that large photographs are not held side by side. */
import { checkedHeader, checkedLength } from '#src/tasks/images/probe.ts';
import { opaque, pictureOf } from '#src/tasks/images/store.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { Picture, TaskHost } from '#src/tasks/types.ts';

/** Pixels of a side at most. */
export const SIDE = 64;

/** A picture by its path; of a large one the middle square. */
async function thumbnail(
  files: FileSet,
  path: string,
  decodeImage: TaskHost['decodeImage'],
): Promise<Picture> {
  checkedLength(await files.size(path));
  const bytes = await files.read(path);
  const { width, height } = checkedHeader(bytes, path);
  const small = width !== null && height !== null && width <= SIDE && height <= SIDE;
  const square = { width: SIDE, height: SIDE };
  return pictureOf(opaque(await decodeImage(bytes, path, small ? undefined : square)));
}

/** null for what is not there or cannot be decoded: it is named all the same. */
export async function thumbnails(
  files: FileSet,
  paths: readonly string[],
  decodeImage: TaskHost['decodeImage'],
): Promise<(Picture | null)[]> {
  const made: (Picture | null)[] = [];
  for (const path of paths) made.push(await thumbnail(files, path, decodeImage).catch(() => null));
  return made;
}
