/** @file The pictures of a folder, looked at once: cut to their size, with captions, problems and thumbnails. */
import { apartWords, MOST_PIXELS, MOST_SHOWN } from '#src/platform/limits.ts';
import { reasonOf } from '#src/platform/refusals.ts';
import { sha256 } from '../digest.ts';
import { DataError, type FileSet } from '../files.ts';
import { shownSize } from '../images/orientation.ts';
import { checkedHeader } from '../images/probe.ts';
import type { Picture, RawImage, TaskHost, TaskProblem, Tell } from '../types.ts';
import { kohyaFolder } from './captions.ts';
import { nearestBucket, type Size } from './buckets.ts';
import { surveyImages } from './data.ts';
import { toPixels } from './pictures.ts';
import { problem } from './problems.ts';

export interface Example {
  readonly path: string;
  readonly caption: string;
  /** SHA-256 of the file. */
  readonly hash: string;
  /** How often it is shown in a round. */
  readonly repeats: number;
  /** Index of its size. */
  readonly bucket: number;
  /** SDXL's time_ids. */
  readonly timeIds: readonly number[];
  /** [3, height, width] in [−1, 1], where they are held; else they are read again. */
  readonly pixels: Float32Array | null;
}

export interface Examples {
  readonly files: FileSet;
  readonly list: readonly Example[];
  /** Sizes that pictures can have, pixels; the square first. */
  readonly sizes: readonly Size[];
  readonly problems: readonly TaskProblem[];
  readonly shown: readonly {
    readonly name: string;
    readonly text: string;
    readonly picture: Picture;
  }[];
}

/** So many pictures are shown before training. */
const SHOWN = 24;

/**
 * Height and width of the picture, top and left of what is cut off, height and width that are trained: the conditions of SDXL (2307.01952, 2.2).
 * The crop is centred, and counted in the scaled picture.
 */
export function timeIdsOf(picture: Size, size: Size): number[] {
  const scale = Math.max(size.width / picture.width, size.height / picture.height);
  const off = (own: number, cut: number): number => Math.max(0, Math.round((own * scale - cut) / 2));
  const [top, left] = [off(picture.height, size.height), off(picture.width, size.width)];
  return [picture.height, picture.width, top, left, size.height, size.width];
}

/** Characters of a caption that are shown before training. */
const READ = 400;
const shortCaption = (text: string): string => (text.length > READ ? `${text.slice(0, READ)}…` : text);

/** A thumbnail keeps the picture's own bytes. */
const copyOf = ({ width, height, rgba }: RawImage): Picture => ({
  width,
  height,
  rgba: new Uint8ClampedArray(rgba),
});

/** Bytes of a picture's numbers: three of four bytes for each pixel. */
const heldBytes = ({ width, height }: Size): number => 12 * width * height;

/**
 * More pictures than can be held, and more in a round than can be listed.
 * @param held their numbers are held, all of them
 */
export function amountProblems(
  item: string,
  list: readonly Pick<Example, 'bucket' | 'repeats'>[],
  sizes: readonly Size[],
  held: boolean,
): TaskProblem[] {
  const problems: TaskProblem[] = [];
  const bytes = list.reduce((sum, { bucket }) => sum + heldBytes(sizes[bucket]!), 0);
  if (held && bytes > MOST_PIXELS) {
    const [all, most] = apartWords(bytes, MOST_PIXELS);
    const message = `${list.length} pictures take ${all} at the size that the model sees; up to ${most} are held.`;
    const room = Math.floor((list.length * MOST_PIXELS) / bytes);
    problems.push(problem('error', item, message, `Take ${room} pictures or fewer.`));
  }
  const shown = list.reduce((sum, { repeats }) => sum + repeats, 0);
  if (shown > MOST_SHOWN)
    problems.push(
      problem(
        'error',
        item,
        `By their folders’ names ${list.length} pictures are shown ${shown.toLocaleString('en')} times in a round; up to ${MOST_SHOWN.toLocaleString('en')} times are possible.`,
        'Begin the folders’ names with smaller numbers.',
      ),
    );
  return problems;
}

/**
 * @param sizes that pictures can have; each goes to the nearest shape
 * @param keep hold the pixels of all of them (else they are read again when they are wanted)
 */
export async function readExamples(
  files: FileSet,
  sizes: readonly Size[],
  keep: boolean,
  host: TaskHost,
  tell?: Tell,
  lines: 'all' | 'first' = 'all',
): Promise<Examples> {
  const shown: Examples['shown'][number][] = [];
  let held = 0;
  const { images, problems } = await surveyImages(
    files,
    '',
    async (bytes, path, caption, hash) => {
      const own = (await shownSize(bytes, checkedHeader(bytes, path))) ?? sizes[0]!;
      const bucket = nearestBucket(sizes, own);
      const raw = await host.decodeImage(bytes, path, sizes[bucket]);
      if (shown.length < SHOWN) shown.push({ name: path, text: shortCaption(caption), picture: copyOf(raw) });
      held += heldBytes(sizes[bucket]!);
      return {
        hash,
        repeats: kohyaFolder(path)?.repeats ?? 1,
        bucket,
        timeIds: timeIdsOf(own, sizes[bucket]!),
        // What exceeds the limit is refused below, and not held until then.
        pixels: keep && held <= MOST_PIXELS ? toPixels(raw) : null,
      };
    },
    tell,
    lines,
  );
  const amounts = amountProblems(files.name, images, sizes, keep);
  return { files, list: images, sizes, problems: [...problems, ...amounts], shown };
}

/** A picture's pixels [3, height, width]. Throws DataError if it cannot be read any more. */
export async function pixelsOf(
  { files, sizes }: Examples,
  example: Example,
  host: TaskHost,
): Promise<Float32Array> {
  if (example.pixels) return example.pixels;
  try {
    const bytes = await files.read(example.path);
    return toPixels(await host.decodeImage(bytes, example.path, sizes[example.bucket]));
  } catch (error) {
    const why = reasonOf(error, 'it cannot be decoded');
    throw new DataError(`${example.path} cannot be read any more (${why}). Choose the folder again.`);
  }
}

/** SHA-256 over paths, captions and pictures in their order, hexadecimal. */
export async function hashExamples({ list, sizes }: Examples): Promise<string> {
  const parts: string[] = [];
  for (const { path, caption, hash, bucket, pixels } of list) {
    const { width, height } = sizes[bucket]!;
    const seen = pixels ? await sha256(new Uint8Array(pixels.buffer)) : `${hash} ${width}x${height}`;
    parts.push(JSON.stringify([path, caption, seen]));
  }
  return sha256(new TextEncoder().encode(parts.join('\n')));
}
