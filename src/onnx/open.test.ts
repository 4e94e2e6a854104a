/** @file Files read in ranges decode as whole ones do, with their large weights left in the file. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { uniform } from '#src/ops/testing/random.ts';
import { mutations } from '../../e2e/fuzz/parts/models.ts';
import { decodeModel } from './decode.ts';
import { loadAll } from './external.ts';
import { type Model, ModelError } from './model.ts';
import { openModelFile } from './open.ts';

const zoo = new URL('../../e2e/golden/zoo/', import.meta.url);
const fileOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}/model.onnx`, zoo)));

/** Opens in ranges; counts what was read. */
async function open(bytes: Uint8Array, limit: number): Promise<{ model: Model; read: number }> {
  let read = 0;
  const ranged = (offset: number, length: number): Promise<Uint8Array> => {
    read += length;
    return Promise.resolve(bytes.slice(offset, offset + length));
  };
  const model = await openModelFile(ranged, bytes.length, { limit });
  const opened = read;
  const own = await loadAll(model, (location, offset, length) => {
    if (location !== '') throw new ModelError(`${location} is another file`);
    return Promise.resolve(bytes.slice(offset, offset + length));
  });
  return { model: own, read: opened };
}

/** A result or the sentence of its refusal. */
async function outcome(work: () => Model | Promise<Model>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ModelError) return 'refused';
    throw error;
  }
}

/** Models with their bytes as plain arrays: views of different buffers compare as equal. */
const plain = (model: unknown): unknown =>
  model === 'refused'
    ? model
    : JSON.parse(
        JSON.stringify(model, (_, x: unknown) => {
          if (x instanceof Map) return [...x];
          if (x instanceof Uint8Array) return Buffer.from(x).toString('base64');
          return typeof x === 'bigint' ? `${x}n` : x;
        }),
      );

describe('every sound file of the zoo', () => {
  const names = readdirSync(zoo).filter(
    (name) => !name.startsWith('bad-') && !readdirSync(new URL(`${name}/`, zoo)).includes('model.onnx.data'),
  );
  it.each(names)('%s', async (name) => {
    const bytes = fileOf(name);
    for (const limit of [64, 4096]) {
      const { model } = await open(bytes, limit);
      expect(plain(model)).toEqual(plain(decodeModel(bytes)));
    }
  });
});

it('reads little of a large file', async () => {
  const bytes = fileOf('resnet18-ts17');
  const { read } = await open(bytes, 4096);
  expect(read).toBeLessThan(bytes.length / 2);
});

describe('damaged files are refused or taken as whole ones are', () => {
  it.each(Object.keys(mutations))('%s', async (kind) => {
    const bytes = fileOf('mlp-ts14');
    const random = uniform(kind.length);
    for (let i = 0; i < 40; i++) {
      let broken: Uint8Array;
      try {
        broken = mutations[kind]!(bytes, random);
      } catch {
        continue;
      }
      const whole = await outcome(() => decodeModel(broken));
      const ranged = await outcome(async () => (await open(broken, 16)).model);
      expect(plain(ranged)).toEqual(plain(whole));
    }
  });
});

it('ends where the signal says so', async () => {
  const bytes = fileOf('mlp-ts14');
  const control = new AbortController();
  control.abort(new Error('enough'));
  await expect(
    openModelFile((o, n) => Promise.resolve(bytes.slice(o, o + n)), bytes.length, { signal: control.signal }),
  ).rejects.toThrow('enough');
});
