/** @file Pictures that a person tries a model with: read as training data are, and of those that cannot be, why not. */
import { reasonOf } from '#src/platform/refusals.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import type { Answer, Picture, PictureSize, TaskHost, Tell } from '#src/tasks/types.ts';
import { findImages } from './list.ts';
import { type Frame, ImageStore, pictureOf } from './store.ts';

/** Longest side of the pictures that are shown. */
const SHOWN = 256;

/**
 * One after the other; what cannot be read is an answer, too.
 * @param use what the model makes of the picture
 * @throws DataError where there is no picture
 */
export async function eachAsked(
  files: FileSet | null,
  host: TaskHost,
  size: PictureSize,
  tell: Tell,
  use: (frame: Frame) => Promise<Pick<Answer, 'shares' | 'made'>>,
): Promise<Answer[]> {
  const paths = files ? (await findImages(files)).paths : [];
  if (!files || paths.length === 0)
    throw new DataError(
      `${files?.name ?? 'What was given'} has no picture. Choose a PNG, JPEG or WebP file.`,
    );
  const store = new ImageStore(files, host, size, 0);
  const answers: Answer[] = [];
  for (const [i, name] of paths.entries()) {
    const frame = await store.get(name).catch((error: unknown) => reasonOf(error, 'it cannot be decoded'));
    answers.push(
      typeof frame === 'string'
        ? { name, unread: frame }
        : { name, picture: pictureOf(frame, SHOWN), ...(await use(frame)) },
    );
    tell(i + 1, paths.length);
  }
  return answers;
}

/** A picture without its alpha. */
export function frameOf({ width, height, rgba }: Picture): Frame {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = rgba[4 * i + c]!;
  return { width, height, rgb };
}
