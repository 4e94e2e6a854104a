/**
 * @file Whatever a task reads, it breathes: often enough, and a cancel that is heard at any breath ends the work with that very error. Time is a counter here: every
 * look at the clock takes 60 of it, so that a breath is due at every second look.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { readNpy, writeNpy } from './arrays/npy.ts';
import { writeNpz } from './arrays/npz.ts';
import { readSafetensors } from './arrays/safetensors.ts';
import { diskFiles, memoryFiles } from './diffusion/testing/diskFiles.ts';
import type { FileSet } from './files.ts';
import { plainPng, testHost } from './images/testing/host.ts';
import { findTask, taskIds } from './registry.ts';
import { testJob } from './testing/job.ts';
import { openWhole } from './testing/trainTask.ts';
import type { Tell } from './types.ts';

/** Looks at the clock. */
let looks = 0;
beforeEach(() => {
  looks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => 60 * looks++);
});
afterEach(() => {
  vi.restoreAllMocks();
});

interface Large {
  readonly model: string;
  readonly options?: object;
  readonly split?: number;
  readonly files: () => Promise<FileSet>;
  /** Rows, texts or pieces of arrays. */
  readonly items: number;
  /** Looks for each of them: three for every two walks over all, and for every two tokens. */
  readonly each: number;
}

const ROWS = 100;
const rows = <T>(make: (i: number) => T): T[] => Array.from({ length: ROWS }, (_, i) => make(i));
const text = (i: number): string => `the cat ${i} found a map`;
const label = (i: number): string => (i % 2 ? 'odd' : 'even');
const table = (head: string, row: (i: number) => string): string => [head, ...rows(row)].join('\n');
const list = (entry: (i: number) => unknown): string => JSON.stringify(rows(entry));
const lines = (entry: (i: number) => unknown): string => rows((i) => JSON.stringify(entry(i))).join('\n');
const made = (files: Record<string, string | Uint8Array>) => async (): Promise<FileSet> => memoryFiles(files);

const learned = (name: string, content: string, each: number): Large => ({
  model: 'public/models/stories',
  files: made({ [name]: content }),
  items: ROWS,
  each,
});
const labelled = (name: string, content: string, each: number): Large => ({
  model: 'public/models/topics',
  files: made({ [name]: content }),
  items: ROWS,
  each,
});
const pictures = { 'a.png': plainPng(1, 16), 'b.png': plainPng(2, 16) };

/** Rows of the numbers that a model was made for, again and again: many pieces of 65,536 numbers. */
const PIECES = 6;
async function arrays(): Promise<FileSet> {
  const given = await diskFiles('public/data/turned-waves/train').read('waves.safetensors');
  const tiled = [...readSafetensors(given).tensors].map(([name, { type, shape, data }]) => {
    const each = data.length / shape[0]!;
    const count = Math.ceil((PIECES * 65_536) / each);
    const values = new (data.constructor as new (n: number) => TypedArray)(count * each);
    for (let i = 0; i < values.length; i++) values[i] = data[i % data.length]!;
    return [name, { type, shape: [count, ...shape.slice(1)], data: values }] as const;
  });
  return memoryFiles({ 'waves.npz': await writeNpz(new Map(tiled)) });
}

/** By task, in every form that its data have. */
const large: Readonly<Record<string, Readonly<Record<string, Large>>>> = {
  language: {
    'a list': learned('a.json', list(text), 18),
    'lines of JSON': learned('a.jsonl', lines(text), 17),
    'prompts with answers': learned(
      'a.jsonl',
      lines((i) => ({ prompt: text(i), completion: 'yes' })),
      27,
    ),
    'a table': learned(
      'a.csv',
      table('text', (i) => text(i)),
      18,
    ),
    'an export of a chat': {
      ...learned(
        'a.txt',
        rows((i) => `12.05.23, 21:${10 + (i % 50)} - ${i % 2 ? 'Ben' : 'Anna'}: ${text(i)}`).join('\n'),
        9,
      ),
      options: { speaker: 'Ben' },
    },
    'one book': learned('a.txt', rows(text).join(' '), 9),
    'wrong rows': learned('a.csv', `text\n${'x,y\n'.repeat(ROWS)}`, 3),
  },
  'text-classification': {
    'a list': labelled(
      'a.json',
      list((i) => ({ text: text(i), label: label(i) })),
      21,
    ),
    'lines of JSON': labelled(
      'a.jsonl',
      lines((i) => ({ text: text(i), label: label(i) })),
      19,
    ),
    'a table': labelled(
      'a.csv',
      table('text,label', (i) => `${text(i)},${label(i)}`),
      19,
    ),
    'long texts': { ...labelled('a.csv', `text,label\n${rows(text).join(' ')},a\nyes,b`, 18), options: {} },
    'wrong rows': labelled('a.csv', `text,label\n${'x,y,z\n'.repeat(ROWS)}`, 3),
  },
  'image-classification': {
    'a table': {
      model: 'public/models/shapes',
      files: made({ ...pictures, 'labels.csv': table('file,label', (i) => `${i}.png,${label(i)}`) }),
      items: ROWS,
      each: 3,
    },
  },
  pairs: {
    'a table': {
      model: 'public/models/repaint',
      files: made({ ...pictures, 'pairs.csv': table('input,target', (i) => `${i}.png,b.png`) }),
      items: ROWS,
      each: 3,
    },
  },
  diffusion: {
    'a table of captions': {
      model: 'public/models/emoji',
      files: made({
        ...pictures,
        'metadata.jsonl': lines((i) => ({ file_name: `${i}.png`, text: text(i) })),
      }),
      items: ROWS,
      each: 3,
    },
  },
  generic: {
    arrays: { model: 'public/models/waves', files: arrays, items: PIECES, each: 5 },
  },
};

const cases = Object.entries(large).flatMap(([task, forms]) =>
  Object.entries(forms).map(([form, given]) => [task, form, given] as const),
);

it('every task is among them', () => {
  expect(Object.keys(large).sort()).toEqual([...taskIds].sort());
});

describe.each(cases)('%s, of %s', (name, _, { model, options, files, items, each }) => {
  const open = async () => {
    const disk = diskFiles(model);
    const opened = await findTask(name).open(disk, openWhole(disk), testJob(name, options));
    const data = await files();
    return (tell: Tell) => {
      looks = 0;
      return opened.prepare(data, null, testHost(), tell);
    };
  };

  it('breathes between all items in every walk over them', async () => {
    const prepare = await open();
    await prepare(() => undefined);
    expect(looks).toBeGreaterThanOrEqual(items * each);
  });

  it('ends where it is cancelled, at the first word, in the middle and at the last', async () => {
    let told = 0;
    await (
      await open()
    )(() => {
      told++;
    });
    for (const at of [1, Math.ceil(told / 2), told]) {
      const prepare = await open();
      const cancelled = new Error('cancelled');
      let n = 0;
      const ended = prepare(() => {
        if (++n >= at) throw cancelled;
      });
      await expect(ended).rejects.toBe(cancelled);
    }
  });
});

describe('arrays', () => {
  const numbers = tensor(
    'float32',
    [PIECES, 65_536],
    Float32Array.from({ length: PIECES * 65_536 }, (__, i) => i),
  );
  /** The same file with other words in its header, which are as long. */
  const said = (from: string, to: string): Uint8Array => {
    const bytes = writeNpy(numbers);
    const at = Buffer.from(bytes).indexOf(from);
    bytes.set(new TextEncoder().encode(to), at);
    return bytes;
  };

  it.each([
    ['columns first', said("'fortran_order': False", "'fortran_order': True ")],
    ['largest bytes first', said('<f4', '>f4')],
  ])('of %s are turned round with breaths between', async (_, bytes) => {
    looks = 0;
    await readNpy(bytes);
    expect(looks).toBeGreaterThanOrEqual(PIECES);
  });
});
