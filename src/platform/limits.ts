/**
 * @file How much readers of outside data make of their input, in one place. A tab has about 4 GB for its objects, phones less, and a model takes the most of it:
 * each limit says what it counts and why what it allows fits. Pictures have theirs beside their headers (`largestArea` of src/tasks/images/probe.ts), links and
 * regular expressions beside what reads them.
 */

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Bytes of texts and tables of one data set: as tokens and rows they take ten to twenty times as much, a gigabyte. Training on all of them would take weeks. */
export const MOST_TEXT = 64 * MIB;

/** Bytes of exports of chats of one data set: they are read piece by piece, and of them what people said is held, once. */
export const MOST_CHATS = 512 * MIB;

/** Characters of conversations that are learned: the newest, of which tokens take ten to twenty times as much. */
export const MOST_SAID = 32 * MIB;

/** Characters of one text that is tokenised at a stretch: a quarter of what would keep a slow device busy for a minute. */
export const LONGEST_TEXT = 16 * MIB;

/** Bytes of a caption: a model reads a few hundred characters of it. */
export const LARGEST_CAPTION = MIB;

/** Cells of a table, rows times columns: each takes about 200 bytes with its place in a row. */
export const MOST_CELLS = 2_000_000;

/** Bytes of a vocabulary and what else stands beside a model: the largest that are known take 35 MB, and ten times as much once they are read. */
export const LARGEST_BESIDE = 128 * MIB;

/** Bytes of arrays that are held at once: all of a data set, or one of its batch files. A copy of another element type may take as much again. */
export const MOST_ARRAYS = GIB;

/** Bytes of training pictures as numbers, where all of them are held. */
export const MOST_PIXELS = GIB;

/** Pictures in a round, each as often as its folder says: a list, and its order, of a few dozen megabytes. */
export const MOST_SHOWN = 1_000_000;

/** Files in an archive: what is known of each takes a kilobyte. */
export const MOST_ENTRIES = 100_000;

/** Bytes to which the packed files of an archive unpack, all together; browsers put what memory does not hold on the disk. Files stored as they are stay where they are. */
export const MOST_UNPACKED = 4 * GIB;

/** Bytes of an adapter's files: those of the largest models take a few hundred megabytes. */
export const MOST_ADAPTER = 2 * GIB;

/** "43.5 MB", "1.1 GB": bytes of a limit, or of what exceeds it; whole numbers without a fraction. */
export function sizeWords(bytes: number): string {
  const [unit, name] = bytes < MIB ? [1024, 'KB'] : bytes < GIB ? [MIB, 'MB'] : [GIB, 'GB'];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}

/** A size and the limit that it exceeds, in words that differ: bytes, where they are next to one another. */
export function apartWords(size: number, most: number): readonly [size: string, most: string] {
  const words = [sizeWords(size), sizeWords(most)] as const;
  return words[0] === words[1]
    ? [`${size.toLocaleString('en')} bytes`, `${most.toLocaleString('en')} bytes`]
    : words;
}
