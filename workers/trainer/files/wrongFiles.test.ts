/** @file Every kind of file that is often given by mistake, through every door: the error names the file, and says what it seems to be and what to do. */
import { describe, expect, it } from 'vitest';
import { readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { unpacked } from '#src/formats/files/zip.ts';
import { readText } from '#src/formats/files/readText.ts';
import { PlainError, inFull } from '#src/platform/refusals.ts';
import { readArrays } from '#src/tasks/arrays/files.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { readJson } from '#src/tasks/diffusion/parts.ts';
import { readStructure } from '#src/tasks/modelFiles.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';

const latin = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));
const rest = '\0\u0001\u0002 rest of it, of some length, so that every reader has enough to go wrong by';

const wrong: Readonly<Record<string, readonly [Uint8Array<ArrayBuffer>, RegExp]>> = {
  'a PDF': [latin(`%PDF-1.7\n${rest}`), /a PDF document/],
  'a ZIP': [latin(`PK\u0003\u0004${rest}`), /a ZIP archive/],
  'a gzip': [latin(`\u001f\u008b\u0008${rest}`), /a gzip archive/],
  'a pickle': [latin(`\u0080\u0002}q${rest}`), /a Python pickle/],
  'a web page': [latin('<!doctype html><html><body>Not found</body></html>'), /a web page/],
  'a Git LFS pointer': [
    latin('version https://git-lfs.github.com/spec/v1\noid sha256:1\n'),
    /Git LFS pointer/,
  ],
  'a PNG': [latin(`\u0089PNG\r\n\u001a\n${rest}`), /a PNG picture/],
  'a JPEG': [latin(`\u00ff\u00d8\u00ff\u00e0${rest}`), /a JPEG picture/],
  'a GGUF': [latin(`GGUF\u0003${rest}`), /a GGUF file/],
  'plain text': [latin('Dear all,\nthis is only a text.\n'), /plain text/],
  JSON: [latin('{"hello": "world"}'), /a JSON file/],
  'an empty file': [latin(''), /empty/],
};

/** As the worker opens one. */
const adapter = async (path: string, bytes: Uint8Array) =>
  readAdapter(await unpacked(new Map([[path, bytes]])), []);

interface Door {
  readonly path: string;
  readonly open: (bytes: Uint8Array<ArrayBuffer>, path: string) => unknown;
  /** What is right here, or is told by its content. */
  readonly takes?: readonly string[];
}

const set = (bytes: Uint8Array, path: string) => memoryFiles({ [path]: bytes });
const settings = { should: 'a job file', cure: 'Choose a .toml file.' };

const doors: Readonly<Record<string, Door>> = {
  model: { path: 'mine.onnx', open: (bytes, path) => readStructure(set(bytes, path), path) },
  adapter: { path: 'mine.safetensors', open: (bytes, path) => adapter(path, bytes) },
  'adapter of another name': {
    path: 'mine.bin',
    open: (bytes, path) => adapter(path, bytes),
  },
  'arrays, safetensors': { path: 'x.safetensors', open: (bytes, path) => readArrays(set(bytes, path), path) },
  'arrays, npy': { path: 'x.npy', open: (bytes, path) => readArrays(set(bytes, path), path) },
  'arrays, npz': {
    path: 'x.npz',
    open: (bytes, path) => readArrays(set(bytes, path), path),
    takes: ['a ZIP'],
  },
  tokenizer: {
    path: 'tokenizer.json',
    open: (bytes, path) => TextTokens.read(set(bytes, path), 'model.onnx'),
    takes: ['JSON'],
  },
  configuration: {
    path: 'config.json',
    open: (bytes, path) => readJson(set(bytes, path), path),
    takes: ['JSON'],
  },
  'job or plan': {
    path: 'mine.toml',
    open: (bytes, path) => readText(new File([bytes], path), settings),
    takes: ['plain text'],
  },
};

describe.each(Object.entries(doors))('given as %s', (_, { path, open, takes = [] }) => {
  it.each(Object.entries(wrong).filter(([kind]) => !takes.includes(kind)))(
    '%s is named for what it is',
    async (_kind, [bytes, words]) => {
      const error: unknown = await Promise.resolve()
        .then(() => open(bytes, path))
        .then(
          () => 'accepted',
          (cause: unknown) => cause,
        );
      if (!(error instanceof PlainError)) throw error;
      const said = inFull(error);
      expect(said).toContain(path);
      expect(said).toMatch(words);
      expect(said).toMatch(/(Choose|Copy|Download|Export|Fetch|Save|Unpack|It can run|It holds).*\.$/);
      expect(said).not.toMatch(/\d{9}|undefined/);
    },
  );
});
