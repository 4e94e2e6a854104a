/** @file Data that lack one thing each, through every task as the worker uses it: prepared, or refused in words with a way out on the page. */
import { describe, expect, it } from 'vitest';
import { PlainError } from '#src/platform/refusals.ts';
import { memoryFiles, diskFiles } from './diffusion/testing/diskFiles.ts';
import { task as diffusion } from './diffusion/task.ts';
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
  'arrays that are none': { 'x.npy': 'PK', 'y.npz': 'nothing' },
};
const whole: Files = {
  ...pictures('cat/'),
  ...pictures('dog/', 50),
  'train.csv': 'text,label\nthe small cat,World\na robot,Sports\nthe small dog,World\na big robot,Sports\n',
};

/** A way out that asks a person for a file which they would have to write by hand. */
const HOMEWORK = /write (one|it|a file|them) in|create a file|make a file/i;

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
    for (const { message, cure } of prepared.problems) {
      expect(message).not.toMatch(/undefined|\[object|NaN/);
      expect(cure ?? '').not.toMatch(HOMEWORK);
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
    expect(error.message).not.toMatch(/undefined|\[object|NaN/);
    return 'refused';
  }
}

describe.each(tasks.map(([task, folder]) => ({ id: task.id, task, folder })))('$id', ({ task, folder }) => {
  it.each(Object.keys(sets))('with %s', async (name) => {
    await through(task, folder, sets[name]!, null);
  });
  it.each(Object.keys(sets))('judged by %s', async (name) => {
    await through(task, folder, whole, sets[name]!);
  });
});
