/** @file The files that a job's places come to: exactly those that are meant, and no link out of a named folder. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inputsOf } from './inputs.ts';
import { RunFolder } from './output.mjs';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'rotune-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (path: string): string => join(folder, path);
function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), path);
  }
}
function link(path: string, target: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  symlinkSync(target, at(path));
}
const pathsOf = async (place: string): Promise<string[]> =>
  (await inputsOf(at(place))).files.map((f) => f.path);

it('hands over a folder’s files in order, hidden ones left out', async () => {
  write('b/2.png', 'a.png', '.hidden', 'b/._2.png', 'b/__MACOSX/x', '.git/config');
  expect(await pathsOf('.')).toEqual(['a.png', 'b/2.png']);
});

it('hands over a model with its own weights and what tells of it, nothing else from its folder', async () => {
  mkdirSync(at('exports'));
  const zoo = 'e2e/golden/zoo/llama-dyn20';
  for (const name of ['model.onnx', 'model.onnx.data']) copyFileSync(join(zoo, name), at(`exports/${name}`));
  write('exports/config.json', 'exports/tokenizer.json', 'exports/chat_template.jinja', 'exports/labels.txt');
  write(
    'exports/model-secret.txt',
    'exports/passwords.json',
    'exports/b.onnx',
    'exports/cat.png',
    'exports/other.data',
  );
  expect(await pathsOf('exports/model.onnx')).toEqual([
    ...[
      'chat_template.jinja',
      'config.json',
      'labels.txt',
      'model.onnx',
      'model.onnx.data',
      'tokenizer.json',
    ],
  ]);
  expect(await pathsOf('exports/cat.png')).toEqual(['cat.png']);
});

it('leaves a file that is no model to the page’s words', async () => {
  write('model.onnx', 'notes.md');
  expect(await pathsOf('model.onnx')).toEqual(['model.onnx']);
});

it('follows links within the folder, and says which lead out of it', async () => {
  write('outside/secret.png', 'data/a.png');
  link('data/b.png', 'a.png');
  link('data/c.png', '../outside/secret.png');
  link('data/d.png', 'nowhere.png');
  link('data/all', '../outside');
  const { files, notes } = await inputsOf(at('data'));
  expect(files).toEqual([
    { path: 'a.png', file: at('data/a.png') },
    { path: 'b.png', file: at('data/a.png') },
  ]);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/not followed out of data: .* 2 more such\. Copy/);
});

it('takes named links: a model, its weights beside the real file or beside the link, a folder', async () => {
  const zoo = 'e2e/golden/zoo/llama-dyn20';
  mkdirSync(at('store'));
  for (const name of ['model.onnx', 'model.onnx.data']) copyFileSync(join(zoo, name), at(`store/${name}`));
  link('here/model.onnx', '../store/model.onnx');
  link('here/model.onnx.data', '../store/model.onnx.data');
  expect((await inputsOf(at('here/model.onnx'))).files).toEqual([
    { path: 'model.onnx', file: at('store/model.onnx') },
    { path: 'model.onnx.data', file: at('store/model.onnx.data') },
  ]);
  link('pictures', 'store');
  expect(await pathsOf('pictures')).toEqual(['model.onnx', 'model.onnx.data']);
});

it('reads a Hugging Face cache, where all files are links to the blobs of their repository', async () => {
  const snapshot = 'hub/models--org--name/snapshots/abc';
  mkdirSync(at('hub/models--org--name/blobs'), { recursive: true });
  copyFileSync('e2e/golden/zoo/mlp-dyn20/model.onnx', at('hub/models--org--name/blobs/1f'));
  write('hub/models--org--name/blobs/2f', 'hub/models--org--other/blobs/3f');
  link(`${snapshot}/onnx/model.onnx`, '../../../blobs/1f');
  link(`${snapshot}/onnx/config.json`, '../../../blobs/2f');
  link(`${snapshot}/onnx/stranger.json`, '../../../../models--org--other/blobs/3f');
  const { files, notes } = await inputsOf(at(snapshot));
  expect(files.map((f) => f.path)).toEqual(['onnx/config.json', 'onnx/model.onnx']);
  expect(notes[0]).toContain('stranger.json');
  expect(await pathsOf(`${snapshot}/onnx/model.onnx`)).toEqual(['config.json', 'model.onnx']);
  expect(readFileSync(files[1]!.file)).toEqual(readFileSync('e2e/golden/zoo/mlp-dyn20/model.onnx'));
});

it('does not take the pictures of an earlier run for data', async () => {
  write('mine.png');
  const run = RunFolder.begin(at('runs/demo'), []);
  run.write('after.png', 'drawn');
  run.settle('finished');
  expect(await pathsOf('.')).toEqual(['mine.png']);
});
