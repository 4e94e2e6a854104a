/** @file Archives of every kind that people pack, and those that nobody should open. */
import { deflateSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { isZip, zipFiles } from './zipFiles.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const blobOf = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);
const archive = (files: Record<string, Uint8Array>, level: 0 | 6): Blob => blobOf(zipSync(files, { level }));

const files = {
  'model/model.onnx': text('weights '.repeat(500)),
  'model/tokenizer/tokenizer.json': text('{}'),
  'model/.DS_Store': text('x'),
};

describe.each([0, 6] as const)('at level %d', (level) => {
  it('gives files without their common folder, whole and by range', async () => {
    const blob = archive(files, level);
    expect(await isZip(blob)).toBe(true);
    const set = await zipFiles('mine.zip', blob);
    expect(set.name).toBe('mine');
    expect(set.paths).toEqual(['model.onnx', 'tokenizer/tokenizer.json']);
    expect(await set.size('model.onnx')).toBe(4000);
    expect(new TextDecoder().decode(await set.read('model.onnx', 3996))).toBe('hts ');
    expect(new TextDecoder().decode(await set.read('model.onnx', 8, 7))).toBe('weights');
    await expect(set.read('nothing')).rejects.toThrow(/nothing is not in mine/);
  });
});

describe('refuses', () => {
  it.each(['../out.onnx', '/etc/x', 'C:/x', 'a/../../x'])('%s, which leads out', async (path) => {
    await expect(zipFiles('bad.zip', archive({ [path]: text('x') }, 0))).rejects.toThrow(/leads out/);
  });

  it('an archive that is cut off', async () => {
    const blob = archive(files, 6);
    await expect(zipFiles('cut.zip', blob.slice(0, blob.size - 30))).rejects.toThrow(
      /cut\.zip is no whole ZIP/,
    );
  });

  it('a damaged file, when it is read', async () => {
    const bytes = zipSync({ 'a.bin': text('abcabc'.repeat(99)) }, { level: 6 });
    bytes[40]! ^= 0xff;
    const set = await zipFiles('hurt.zip', blobOf(bytes));
    await expect(set.read('a.bin')).rejects.toThrow(/a\.bin in hurt\.zip is damaged/);
  });

  it('an archive with nothing in it', async () => {
    await expect(zipFiles('empty.zip', archive({}, 0))).rejects.toThrow(/holds no files/);
  });

  /** Zeros, packed as well as can be, with another claim of what they come to. */
  const claiming = (claimed: (packed: number) => number): { blob: Blob; packed: number } => {
    const bytes = zipSync({ 'a.bin': new Uint8Array(2e6) }, { level: 9 });
    const view = new DataView(bytes.buffer);
    let packed = 0;
    for (let i = 0; i + 4 <= bytes.length; i++)
      if (view.getUint32(i, true) === 0x02014b50) {
        packed = view.getUint32(i + 20, true);
        view.setUint32(i + 24, claimed(packed), true);
      }
    return { blob: blobOf(bytes), packed };
  };

  it('what claims more than Deflate can make of its bytes, and takes all that it can', async () => {
    const most = claiming((packed) => 1032 * packed);
    expect(await (await zipFiles('most.zip', most.blob)).size('a.bin')).toBe(1032 * most.packed);
    const more = claiming((packed) => 1032 * packed + 1);
    await expect(zipFiles('more.zip', more.blob)).rejects.toThrow(
      `more than its ${more.packed} bytes can hold`,
    );
    // What is packed best is within it.
    const best = claiming(() => 2e6);
    expect(await (await zipFiles('best.zip', best.blob)).read('a.bin')).toHaveLength(2e6);
  });

  it('what unpacks to more than fits, all files together; those stored as they are do not count', async () => {
    const packed = archive({ 'a.bin': new Uint8Array(600), 'b.bin': new Uint8Array(400) }, 6);
    expect((await zipFiles('a.zip', packed, 1000)).paths).toHaveLength(2);
    await expect(zipFiles('a.zip', packed, 999)).rejects.toThrow(
      /unpacks to more than 1 KB.*without compression/,
    );
    const stored = archive({ 'a.bin': new Uint8Array(600), 'b.bin': new Uint8Array(400) }, 0);
    expect((await zipFiles('a.zip', stored, 1)).paths).toHaveLength(2);
  });

  it('a bomb, by what it claims', async () => {
    const bytes = zipSync({ 'a.bin': text('a'.repeat(100)) }, { level: 6 });
    const view = new DataView(bytes.buffer);
    for (let i = 0; i + 4 <= bytes.length; i++)
      if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 4e9, true);
    expect(deflateSync(text('a'.repeat(100))).length).toBeLessThan(100);
    await expect(zipFiles('bomb.zip', blobOf(bytes))).rejects.toThrow(/claims to unpack to a\.bin/);
  });
});

it('nothing else is an archive', async () => {
  expect(await isZip(blobOf(text('PK is not enough')))).toBe(false);
  expect(await isZip(new Blob([]))).toBe(false);
});
