/** @file A folder of images with captions, as training data; everything wrong with it is collected at once. */
import { sha256 } from '#src/tasks/digest.ts';
import { baseName, DataError, type FileSet, stemOf } from '#src/tasks/files.ts';
import { checkedLength } from '#src/tasks/images/probe.ts';
import { findImages } from '#src/tasks/images/list.ts';
import { lookAtEach } from '#src/tasks/images/look.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { readCaptions } from './captions.ts';
import { problem } from './problems.ts';

/**
 * Pixels of an encoded image, cropped to a centred square (to width:height) and scaled: CHW, RGB, v/127.5 − 1, transparent parts over white.
 * Throws with a reason if the bytes are no image.
 */
export type Decode = (
  bytes: Uint8Array,
  width: number,
  height: number,
  path: string,
) => Promise<Float32Array>;

export interface TrainingImage {
  readonly path: string;
  readonly caption: string;
  /** CHW in [−1, 1]. */
  readonly pixels: Float32Array;
}

export interface ImageFolder<T = TrainingImage> {
  readonly images: readonly T[];
  readonly problems: readonly TaskProblem[];
}

/** Names that say nothing: numbers, camera names, hashes. */
const NAMELESS =
  /^(?:(?:img|dsc|dscn|image|photo|picture|pasted|camera|screenshot|untitled|pxl|file)?[\s_-]*[\d\s_.()-]*|[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/**
 * Reads every image under `prefix` with its pixels.
 * @param size side of the square that the model sees, pixels
 */
export function loadImages(
  files: FileSet,
  prefix: string,
  decode: Decode,
  size: number,
  onProgress?: (done: number, total: number) => void,
): Promise<ImageFolder> {
  const look = async (bytes: Uint8Array, path: string) => ({
    pixels: await decode(bytes, size, size, path),
  });
  return surveyImages(files, prefix, look, onProgress);
}

/**
 * Looks at every image under `prefix` (a folder path that ends in "/", or "" for all).
 *
 * @param lines of caption files: all of them as one text, or the first only
 * @param look what is kept of an image, given its SHA-256 too; throws with a reason if the bytes are none
 * @returns the readable images in the order of their paths, and all problems: no image at all, unreadable images, metadata that names
 *   missing files, images without a caption of their own, files with equal bytes
 */
export async function surveyImages<T extends object>(
  files: FileSet,
  prefix: string,
  look: (bytes: Uint8Array, path: string, caption: string, hash: string) => Promise<T>,
  onProgress?: (done: number, total: number) => void,
  lines: 'all' | 'first' = 'all',
): Promise<ImageFolder<T & { readonly path: string; readonly caption: string }>> {
  const found = await findImages(files, prefix);
  const { paths } = found;
  const problems: TaskProblem[] = [...found.problems];
  if (paths.length === 0)
    problems.push(
      ofKind(
        'no-data',
        problem(
          'error',
          prefix || files.name,
          `There is no image in ${prefix || files.name}.`,
          'Add pictures: PNG, JPEG, WebP and others.',
        ),
      ),
    );
  const captions = await readCaptions(files, prefix, paths, problems, lines, onProgress);
  const images: (T & { path: string; caption: string })[] = [];
  problems.push(
    ...(await lookAtEach(
      paths,
      async (path) => {
        checkedLength(await files.size(path));
        const bytes = await files.read(path);
        const caption = captions.get(path)!.text;
        const hash = await sha256(bytes);
        images.push({ ...(await look(bytes, path, caption, hash)), path, caption });
        return hash;
      },
      (path, why) =>
        problem(
          'error',
          path,
          `${path} cannot be read as an image (${why}).`,
          'Take it out, or add another copy.',
        ),
      onProgress,
    )),
    ...captionProblems(paths, captions),
  );
  return { images, problems };
}

function captionProblems(
  paths: readonly string[],
  captions: Awaited<ReturnType<typeof readCaptions>>,
): TaskProblem[] {
  const nameless: TaskProblem[] = [];
  const shared: TaskProblem[] = [];
  const someHave = [...captions.values()].some((c) => c.source !== null);
  const bySource = new Map<string, string>();
  for (const path of paths) {
    const caption = captions.get(path)!;
    if (caption.source === null && (someHave || NAMELESS.test(stemOf(baseName(path)))))
      nameless.push(
        problem(
          'warning',
          path,
          `${path} has no caption; its name is taken ("${caption.text}").`,
          'Say what it shows.',
        ),
      );
    // A folder or a table may hold many captions; a text file holds one.
    if (caption.source === null || !/\.(txt|caption)$/i.test(caption.source)) continue;
    const other = bySource.get(caption.source);
    if (other !== undefined)
      shared.push(
        problem(
          'warning',
          path,
          `${path} and ${other} share the caption in ${caption.source}.`,
          'Say of each what it shows.',
        ),
      );
    bySource.set(caption.source, path);
  }
  return [
    ...shortened(nameless, 'no-caption', (n) => `${n} images have no caption.`),
    ...shortened(shared, 'shared-caption', (n) => `${n} images share a caption.`),
  ];
}

/** The images of a folder, or one DataError that lists its errors (the first few, and how many more). */
export function requireImages(folder: ImageFolder): readonly TrainingImage[] {
  const errors = folder.problems.filter((p) => p.severity === 'error').map((p) => p.message);
  if (errors.length === 0) return folder.images;
  const shown = errors.slice(0, 5).join(' ');
  throw new DataError(errors.length > 5 ? `${shown} And ${errors.length - 5} more.` : shown);
}
