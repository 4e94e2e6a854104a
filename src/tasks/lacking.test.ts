/** @file Data that lack one thing each, through every task as the worker uses it: prepared, or refused in words with a way out on the page. */
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { PlainError } from '#src/platform/refusals.ts';
import { memoryFiles, diskFiles } from './diffusion/testing/diskFiles.ts';
import { task as diffusion } from './diffusion/task.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { writeNpy } from './arrays/writeNpy.ts';
import { task as generic } from './generic/task.ts';
import { task as imageClassification } from './image-classification/task.ts';
import { plainPng, testHost } from './images/testing/host.ts';
import { task as language } from './language/task.ts';
import { task as pairs } from './pairs/task.ts';
import { testJob } from './testing/job.ts';
import { openWhole } from './testing/trainTask.ts';
import { task as textClassification } from './text-classification/task.ts';
import type { Task } from './types.ts';

const tasks: readonly (readonly [Task, string])[] = [
  [diffusion, 'e2e/golden/tiny-sd'],
  [generic, 'public/models/waves'],
  [imageClassification, 'public/models/shapes'],
  [language, 'public/models/stories'],
  [pairs, 'public/models/repaint'],
  [textClassification, 'public/models/topics'],
];

type Files = Readonly<Record<string, Uint8Array | string>>;
const pictures = (folder: string, from = 0): Files =>
  Object.fromEntries([0, 1, 2, 3].map((i) => [`${folder}${i}.png`, plainPng(1000 * (from + i) + 77, 32)]));
const empty = new Uint8Array();

const sets: Readonly<Record<string, Files>> = {
  'nothing at all': {},
  'only a README': { 'README.md': '# Read me' },
  'only hidden files': { '.DS_Store': 'x', '__MACOSX/._0.png': 'y' },
  'only empty files': {
    'a/0.png': empty,
    'b/1.png': empty,
    'notes.txt': empty,
    'x.npz': empty,
    'm.csv': empty,
  },
  'pictures without labels or captions': pictures(''),
  'pictures of one class': pictures('cat/'),
  'a class without pictures': { ...pictures('cat/'), 'dog/README.txt': 'none' },
  'one picture': { 'cat/0.png': plainPng(5, 32) },
  'one picture in each class': { 'cat/0.png': plainPng(5, 32), 'dog/0.png': plainPng(6, 32) },
  'pictures with captions that are empty': {
    ...pictures(''),
    '0.txt': '',
    '1.txt': ' ',
    '2.txt': '\n',
    '3.txt': '',
  },
  'inputs without targets': pictures('input/'),
  'targets without inputs': pictures('target/'),
  'inputs and targets of other names': { ...pictures('input/'), 'target/a.png': plainPng(9, 32) },
  'a table without rows': { ...pictures(''), 'metadata.csv': 'file_name,label,text\n' },
  'a table that is empty': { ...pictures(''), 'metadata.csv': '' },
  'a table without a column of labels': { ...pictures(''), 'metadata.csv': 'file_name\n0.png\n1.png\n' },
  'a table whose labels are empty': {
    ...pictures(''),
    'metadata.csv': 'file_name,label,text\n0.png,,\n1.png,,\n',
  },
  'a table of pictures that are not there': {
    'metadata.csv': 'file_name,label,text\na.png,x,y\nb.png,y,z\n',
  },
  'one text': { 'notes.txt': 'A line.\nAnother line.' },
  'texts without words': { 'a.txt': '\n\n', 'b.txt': ' ' },
  'a table of texts without labels': { 'train.csv': 'text\none\ntwo\nthree\n' },
  'a table of texts without texts': { 'train.csv': 'label\na\nb\na\n' },
  'a table of texts of one class': { 'train.csv': 'text,label\none,a\ntwo,a\nthree,a\n' },
  'a table of texts without rows': { 'train.csv': 'text,label\n' },
  'a table of texts whose texts are empty': { 'train.csv': 'text,label\n,a\n,b\n' },
  'lines without what they are about': { 'train.jsonl': '{}\n{}\n' },
  'lines that are no JSON': { 'train.jsonl': 'hello\n{\n' },
  'folders of texts, one empty': { 'a/0.txt': 'x y', 'b/README.md': 'z' },
  'chats without answers': { 'train.jsonl': '{"messages":[{"role":"user","content":"hi"}]}\n' },
  'a table with rows that are wrong': {
    ...pictures('cat/'),
    'metadata.csv':
      'file_name,label,text\ncat/0.png,a,b,c\nx.png,a,b\n,a,b\ncat/1.png,,\ncat/2.png,a,b\ncat/2.png,b,c\n',
  },
  'a list of pictures that is no table': {
    ...pictures(''),
    'metadata.jsonl': '{"file_name": ',
    'pairs.csv': '"',
  },
  'a caption that is no text': {
    ...pictures(''),
    '0.txt': new Uint8Array([0xff, 0xfe, 0x41]),
    '1.txt': 'a\nb',
  },
  'captions that pictures share': { '0.png': plainPng(5, 32), '0.jpg': plainPng(6, 32), '0.txt': 'two' },
  'captions without pictures': { ...pictures(''), '0.txt': 'a', 'lost.txt': 'b' },
  'pairs in a table of other columns': { ...pictures(''), 'pairs.csv': 'a1,b1\n0.png,1.png\n' },
  'two inputs of one name': { ...pictures('input/'), 'input/0.jpg': plainPng(8, 32), ...pictures('target/') },
  'a table of texts with other columns': {
    'train.csv': 'who,what\nx,a\ny,b\n',
    'more.jsonl': '{"who":"x"}\n',
  },
  'texts that are no UTF-8': {
    'a.txt': new Uint8Array([0xff, 0xc0, 0x20]),
    'b.csv': new Uint8Array([0xff, 0xc0]),
  },
  'labels of numbers out of range': { ...pictures('1.5/'), ...pictures('-2/', 50) },
  'chats of no form': {
    'train.jsonl': '{"messages":"hi"}\n7\n{"messages":[{"role":"user","content":"hi"}]}\n',
  },
  'arrays of other names and shapes': {
    'a.npy': writeNpy(tensor('float32', [4, 2], new Float32Array(8))),
    'b.npy': writeNpy(tensor('float32', [3, 0], new Float32Array(0))),
    'c.npy': writeNpy(tensor('float32', [], new Float32Array([NaN]))),
  },
  'arrays whose shapes do not fit': {
    'x.npy': writeNpy(tensor('float32', [4, 3], new Float32Array(12).fill(NaN))),
    'target.npy': writeNpy(tensor('float32', [2, 3], new Float32Array(6))),
  },
  'arrays that are none': { 'x.npy': 'PK', 'y.npz': 'nothing' },
};
const whole: Files = {
  ...pictures('cat/'),
  ...pictures('dog/', 50),
  'train.csv': 'text,label\nthe small cat,World\na robot,Sports\nthe small dog,World\na big robot,Sports\n',
};

/** Words that ask a person to write or lay out files, as the command's own words do: on the page each has a control instead. */
const HOMEWORK = new RegExp(
  [
    // An order to do something to what only a file has.
    String.raw`(^|[.:;,] |\bor )(write|put|create|make|save|correct|mend|repair|fill|delete|name|copy|move)\b`,
    String.raw`\brename (the |an |a )?(file|array|column|folder)`,
    String.raw`\b(folder|column|row|line|table|file)s? (is |are )?named`,
    // A file that is not there, by its name.
    String.raw`\b(labels|classes|metadata|pairs|rows)\.(txt|csv|jsonl)`,
    String.raw`\[options\]|\[data\]`,
  ].join('|'),
  'i',
);
/** What no sentence should hold: values that were put in and are none. */
const BROKEN = /undefined|\[object|NaN(?! or infinity)/;
/** What of a sentence tells what to do: not what is quoted in it, nor the names of the files that are there. */
const told = (words: string, files: Files): string =>
  Object.keys(files)
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, path) => text.replaceAll(path, 'it'), words.replaceAll(/"[^"]*"/g, '""'));

async function through(task: Task, folder: string, train: Files, heldout: Files | null): Promise<string> {
  const model = diskFiles(folder);
  const job = testJob(task.id, {}, { train: { batch: 2 }, data: { split: heldout ? 0 : 0.3 } });
  const host = testHost();
  try {
    const opened = await task.open(model, openWhole(model), job);
    const prepared = await opened.prepare(
      memoryFiles(train, 'mine'),
      heldout && memoryFiles(heldout, 'judged'),
      host,
    );
    const errors = prepared.problems.filter(({ severity }) => severity === 'error');
    for (const { message, cure, group } of prepared.problems) {
      expect(message).not.toMatch(BROKEN);
      for (const words of [message, cure ?? '', group?.words ?? ''])
        expect(told(words, { ...train, ...heldout })).not.toMatch(HOMEWORK);
    }
    for (const { message, cure } of errors) expect(cure ?? message).toMatch(/\w+ \w+/);
    // The worker plans the layers whatever the data, so that the plan can be seen meanwhile.
    prepared.training();
    if (errors.length > 0) return 'listed';
    expect(prepared.counts.train).toBeGreaterThan(0);
    if (task.id !== 'diffusion') await prepared.feeds(0, 0);
    return 'prepared';
  } catch (error) {
    if (!(error instanceof PlainError)) throw error;
    expect(error.message).not.toMatch(BROKEN);
    expect(told(`${error.message} ${error.cure ?? ''}`, { ...train, ...heldout })).not.toMatch(HOMEWORK);
    return 'refused';
  }
}

describe.each(tasks.map(([task, folder]) => ({ id: task.id, task, folder })))('$id', ({ task, folder }) => {
  it.each(Object.keys(sets))('with %s', async (name) => {
    await through(task, folder, sets[name]!, null);
  });
  // Held-out data go the same way behind the training data: every third kind shows it, and a sweep all.
  it.each(Object.keys(sets).filter((_, i) => depth(i % 3 === 0, true)))('judged by %s', async (name) => {
    await through(task, folder, whole, sets[name]!);
  });
});
