/** @file Each reader of outside data takes what its limit allows, and says the number of what it does not. */
import { describe, expect, it } from 'vitest';
import { zipSync } from 'fflate';
import { unzipFiles } from '#src/formats/files/zip.ts';
import { readText } from '#src/formats/files/readText.ts';
import { Breath } from '#src/platform/breath.ts';
import {
  LARGEST_BESIDE,
  LARGEST_CAPTION,
  LONGEST_TEXT,
  MOST_ARRAYS,
  MOST_CHATS,
  MOST_PIXELS,
  MOST_SHOWN,
  MOST_TEXT,
  sizeWords,
} from '#src/platform/limits.ts';
import { inFull, PlainError } from '#src/platform/refusals.ts';
import { zipEntries } from '#src/platform/zip.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { readArrays } from './arrays/files.ts';
import { writeNpy } from './arrays/npy.ts';
import { readNpz, writeNpz } from './arrays/npz.ts';
import { readClassNames } from './classification/classes.ts';
import { amountProblems } from './diffusion/examples.ts';
import { readCaptions } from './diffusion/captions.ts';
import { memoryFiles } from './diffusion/testing/diskFiles.ts';
import { readJson } from './diffusion/parts.ts';
import type { FileSet } from './files.ts';
import { readLabelled } from './image-classification/data.ts';
import { checkedLength, largestArea, largestFile, largestSide, checkedHeader } from './images/probe.ts';
import { ChatTemplate } from './language/chat.ts';
import { readDocuments } from './language/data.ts';
import { Framing } from './language/frame.ts';
import { readPairs } from './pairs/data.ts';
import { parseTable } from './table.ts';
import { readLabelledTexts } from './text-classification/data.ts';
import { textClassDefaults } from './text-classification/info.ts';
import { eachText } from './text/problems.ts';
import { TextTokens } from './text/tokens.ts';
import { TextFiles } from './textFiles.ts';
import type { TaskProblem } from './types.ts';

const text = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s);
const blob = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

/** Small files, one of which says that it is of some size. */
function sized(files: Readonly<Record<string, string | Uint8Array>>, path: string, size: number): FileSet {
  const set = memoryFiles({ ...files }, 'mine');
  return { ...set, paths: set.paths, size: async (p) => (p === path ? size : set.size(p)) };
}

const errors = (problems: readonly TaskProblem[]): string =>
  problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message }) => message)
    .join(' ');

/** Of a reader that throws. */
const thrown =
  (read: (amount: number) => unknown) =>
  async (amount: number): Promise<string> => {
    try {
      await read(amount);
      return '';
    } catch (error) {
      expect(error).toBeInstanceOf(PlainError);
      return inFull(error as PlainError);
    }
  };

/** A BMP's header: no more is looked at before a decoder would be. */
function picture(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(54);
  const view = new DataView(bytes.buffer);
  bytes.set(text('BM'));
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  return bytes;
}

const framing = new Framing(new ChatTemplate(null), 'auto');
const cells = (n: number): string => `a\n${'x\n'.repeat(n - 1)}`;
const pictures = (count: number) => Array.from({ length: count }, () => ({ bucket: 0, repeats: 1 }));
const array = tensor('float32', [4], [1, 2, 3, 4]);
const zip = zipSync({ 'a.txt': text('a'.repeat(600)), 'b.txt': text('b'.repeat(400)) });

/**
 * By reader: its limit; what it refuses of an input of so much, which is nothing up to the limit; and the number that it says.
 */
const readers: readonly [
  reader: string,
  limit: number,
  refused: (amount: number) => Promise<string>,
  said: string | RegExp,
][] = [
  [
    'texts to classify, by file',
    MOST_TEXT,
    async (n) =>
      errors(
        (await readLabelledTexts(sized({ 'a.csv': 'text,label\nx,y\n' }, 'a.csv', n), textClassDefaults))
          .problems,
      ),
    'it has 67,108,865 bytes; up to 67,108,864 bytes are read',
  ],
  [
    'texts to learn, by file',
    MOST_TEXT,
    async (n) =>
      errors((await readDocuments(sized({ 'a.txt': 'x' }, 'a.txt', n), { column: '', framing })).problems),
    'it has 67,108,865 bytes; up to 67,108,864 bytes are read',
  ],
  [
    'exports of chats, all together',
    MOST_CHATS,
    async (n) => {
      const chat = '12.05.23, 21:04 - Anna: hi\n12.05.23, 21:05 - Ben: hi\n';
      const files = sized({ 'a.txt': chat, 'b.txt': chat }, 'a.txt', n - chat.length);
      const replace = { names: false, contacts: false };
      const voice = { speaker: 'Ben', silenceHours: 6, replace };
      const short: FileSet = {
        ...files,
        read: (path, at = 0, length) =>
          at > 0 ? Promise.resolve(new Uint8Array()) : files.read(path, at, length),
      };
      return errors((await readDocuments(short, { column: '', framing, voice })).problems);
    },
    '536,870,913 bytes; up to 536,870,912 bytes are read in all',
  ],
  [
    'texts, all together',
    MOST_TEXT,
    thrown(async (n) => {
      const files = new TextFiles(sized({ 'a.txt': 'x', 'b.txt': 'y' }, 'a.txt', n - 1));
      await files.text('a.txt');
      await files.text('b.txt');
    }),
    '67,108,865 bytes; up to 67,108,864 bytes are read in all',
  ],
  [
    'a table of pictures with captions',
    MOST_TEXT,
    async (n) => {
      const problems: TaskProblem[] = [];
      const table = 'file_name,text\na.png,x\n';
      await readCaptions(
        sized({ 'metadata.csv': table, 'a.png': 'x' }, 'metadata.csv', n),
        '',
        ['a.png'],
        problems,
      );
      return errors(problems);
    },
    'it has 67,108,865 bytes; up to 67,108,864 bytes are read',
  ],
  [
    'a table of pictures with classes',
    MOST_TEXT,
    async (n) =>
      errors(
        (await readLabelled(sized({ 'l.csv': 'file,label\na.png,x\n', 'a.png': 'x' }, 'l.csv', n))).problems,
      ),
    'it has 67,108,865 bytes; up to 67,108,864 bytes are read',
  ],
  [
    'a table of pairs',
    MOST_TEXT,
    async (n) => {
      const problems: TaskProblem[] = [];
      const files = { 'pairs.csv': 'input,target\na.png,b.png\n', 'a.png': 'x', 'b.png': 'y' };
      await readPairs(sized(files, 'pairs.csv', n), problems);
      return errors(problems);
    },
    'it has 67,108,865 bytes; up to 67,108,864 bytes are read',
  ],
  [
    'a caption',
    LARGEST_CAPTION,
    async (n) => {
      const problems: TaskProblem[] = [];
      await readCaptions(sized({ 'a.txt': 'a cat', 'a.png': 'x' }, 'a.txt', n), '', ['a.png'], problems);
      return errors(problems);
    },
    'up to 1,048,576 bytes are read',
  ],
  [
    'what stands beside a model',
    LARGEST_BESIDE,
    thrown((n) => readJson(sized({ 'config.json': '{}' }, 'config.json', n), 'config.json')),
    'up to 134,217,728 bytes are read',
  ],
  [
    'names of classes',
    LARGEST_BESIDE,
    thrown((n) => readClassNames(sized({ 'labels.txt': 'cat' }, 'labels.txt', n), 'm.onnx')),
    'up to 134,217,728 bytes are read',
  ],
  [
    'a table, by its cells',
    1000,
    thrown((n) => parseTable('a.csv', cells(n), () => true, { most: 1000 })),
    '1,000 cells',
  ],
  [
    'lines of JSON, by their cells',
    1000,
    thrown((n) => parseTable('a.jsonl', '{"a":1}\n'.repeat(n), () => true, { most: 1000 })),
    '1,000 cells',
  ],
  [
    'an array, by file',
    MOST_ARRAYS,
    thrown((n) => readArrays(sized({ 'x.npy': writeNpy(array) }, 'x.npy', n), 'x.npy')),
    'up to 1,073,741,824 bytes are held at once',
  ],
  [
    'arrays of several files',
    1000,
    thrown((n) =>
      readArrays(sized({ 'x.npy': writeNpy(array) }, 'x.npy', n - 400), 'x.npy', { most: 1000, taken: 400 }),
    ),
    'with the other files 1,001 bytes; up to 1,000 bytes are held at once',
  ],
  [
    'packed arrays, by what they unpack to',
    writeNpy(array).byteLength,
    thrown(async (n) => readNpz(await writeNpz(new Map([['x', array]])), 2 * writeNpy(array).byteLength - n)),
    /unpacks to [\d.]+ KB/,
  ],
  [
    'pictures that are held',
    MOST_PIXELS / (12 * 1024 ** 2),
    async (n) =>
      errors(amountProblems('mine', pictures(Math.floor(n)), [{ width: 1024, height: 1024 }], true)),
    '86 pictures take 1,082,130,432 bytes at the size that the model sees; up to 1,073,741,824 bytes are held',
  ],
  [
    'pictures in a round',
    MOST_SHOWN,
    async (n) => errors(amountProblems('mine', [{ bucket: 0, repeats: n }], [{ width: 8, height: 8 }], true)),
    'shown 1,000,001 times in a round; up to 1,000,000 times',
  ],
  ['a picture, by file', largestFile, thrown((n) => checkedLength(n)), '128 MiB'],
  [
    'a picture, by its side',
    largestSide,
    thrown((n) => checkedHeader(picture(n, 8))),
    /16385 × 8 .* up to 16384/,
  ],
  [
    'a picture, by its area',
    largestArea,
    thrown((n) => checkedHeader(picture(8192, Math.ceil(n / 8192)))),
    '64 megapixels',
  ],
  ['an archive, by its files', 2, thrown((n) => zipEntries(blob(zip), 4 - n)), 'more than 1 files'],
  [
    'an adapter’s archive, by what it unpacks to',
    1000,
    thrown((n) => unzipFiles(zip, 'a.zip', 2000 - n)),
    'unpacks to 1,000 bytes; up to 999 bytes are read',
  ],
  [
    'settings',
    2 ** 20,
    thrown((n) =>
      readText(new File([text(`a = 1\n${'#'.repeat(n - 6)}`)], 'job.toml'), {
        should: 'a job file',
        cure: 'Choose one.',
      }),
    ),
    '1,048,577 bytes, and one has up to 1,048,576 bytes',
  ],
];

describe.each(readers)('%s', (_, limit, refused, said) => {
  it('is read up to its limit', async () => {
    expect(await refused(limit)).toBe('');
  });

  it('is refused beyond it, with the number', async () => {
    expect(await refused(limit + 1)).toMatch(said);
  });
});

it('sizes are said in whole units, or with one digit', () => {
  expect([2 ** 20, 64 * 2 ** 20, 2 ** 30, 45_100_000, 1536].map(sizeWords)).toEqual([
    '1 MB',
    '64 MB',
    '1 GB',
    '43 MB',
    '1.5 KB',
  ]);
  expect(LONGEST_TEXT).toBeLessThan(MOST_TEXT);
});

describe('a cancel', () => {
  /** Breaths that are due at every second look, and end the work at the first. */
  const cancelled = new Error('cancelled');
  const cancelling = (): { readonly breath: Breath; readonly looks: () => number } => {
    let looks = 0;
    const breath = new Breath(
      () => {
        throw cancelled;
      },
      () => 60 * looks++,
    );
    return { breath, looks: () => looks };
  };

  it.each([
    ['rows of a table', 'a.csv', 'a,b\nx,y\n'.repeat(5000)],
    ['one endless field', 'a.csv', `a\n"${'x'.repeat(500_000)}`],
    ['lines of JSON', 'a.jsonl', '{"a":1}\n'.repeat(5000)],
  ])('ends %s before they are all read', async (_, path, content) => {
    const { breath, looks } = cancelling();
    await expect(parseTable(path, content, () => true, { breath })).rejects.toBe(cancelled);
    expect(looks()).toBeLessThan(10);
  });

  const tokenizer = TextTokens.read(
    memoryFiles({
      'tokenizer.json': JSON.stringify({
        model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' },
        pre_tokenizer: { type: 'WhitespaceSplit' },
      }),
    }),
    'm.onnx',
  );

  it('ends a long text before all of its pieces are tokenised, and is heard beyond it', async () => {
    const tokens = await tokenizer;
    const { breath, looks } = cancelling();
    const long = 'a '.repeat(20_000);
    await expect(tokens.encodeSlowly(long, breath)).rejects.toBe(cancelled);
    expect(looks()).toBeLessThan(10);
    const problems: TaskProblem[] = [];
    const listen = (): never => {
      throw cancelled;
    };
    const read = eachText([{ name: 'a.txt' }], (_, own) => own.take().then(() => 1), problems, listen);
    await expect(read).rejects.toBe(cancelled);
    expect(problems).toEqual([]);
  });

  it('that does not come changes nothing of what a text becomes', async () => {
    const tokens = await tokenizer;
    const often = new Breath(
      undefined,
      (() => {
        let now = 0;
        return () => (now += 60);
      })(),
    );
    const text = 'a b  a '.repeat(50);
    expect(await tokens.encodeSlowly(text, often)).toEqual(tokens.encode(text));
  });
});
