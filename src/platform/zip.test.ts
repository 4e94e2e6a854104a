/** @file Archives of others are read whole, damaged ones refused; ours are what others read. */
import { unzipSync, zipSync } from 'fflate';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NewZip, ZipError, zipEntries } from './zip.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const blobOf = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);
const contents = async (bytes: Uint8Array): Promise<[string, string][]> =>
  Promise.all(
    (await zipEntries(blobOf(bytes))).map(async ({ path, content }) => [
      path,
      await (await content()).text(),
    ]),
  );

/** Where a record of the archive begins, by its signature (APPNOTE 4.3). */
function records(bytes: Uint8Array, signature: number): number[] {
  const view = new DataView(bytes.buffer);
  return [...bytes.keys()].filter((i) => i + 4 <= bytes.length && view.getUint32(i, true) === signature);
}
const [LOCAL, CENTRAL] = [0x04034b50, 0x02014b50];

describe('an archive', () => {
  const files = { 'a/': new Uint8Array(0), './a/ü.txt': text('ü '.repeat(99)), 'b\\c.txt': text('c') };

  it.each([0, 6] as const)(
    'of level %d is read in its order, folders left out, with slashes',
    async (level) => {
      expect(await contents(zipSync(files, { level }))).toEqual([
        ['a/ü.txt', 'ü '.repeat(99)],
        ['b/c.txt', 'c'],
      ]);
    },
  );

  it('may be packed by Deflate64, as large ones of Windows are', async () => {
    // Without matches of 258 bytes the two methods write the same.
    const bytes = zipSync({ 'a.txt': text('to be or not to be') }, { level: 6 });
    const view = new DataView(bytes.buffer);
    for (const at of records(bytes, LOCAL)) view.setUint16(at + 8, 9, true);
    for (const at of records(bytes, CENTRAL)) view.setUint16(at + 10, 9, true);
    expect(await contents(bytes)).toEqual([['a.txt', 'to be or not to be']]);
  });

  it.each([0, 6] as const)('of level %d gives beginnings without the rest', async (level) => {
    const bytes = zipSync({ 'a.bin': new Uint8Array(3e6).fill(7), 'b.txt': text('abc') }, { level });
    const [a, b] = await zipEntries(blobOf(bytes));
    expect([...(await a!.head(4))]).toEqual([7, 7, 7, 7]);
    expect([...(await b!.head(1000))]).toEqual([...text('abc')]);
  });

  it('gives the beginning of what Deflate64 packed, too, and none of what is damaged', async () => {
    const bytes = zipSync({ 'a.txt': text('to be or not to be') }, { level: 6 });
    const view = new DataView(bytes.buffer);
    const spoiled = bytes.slice();
    const [local] = records(bytes, LOCAL);
    // The reserved kind of block (RFC 1951, 3.2.3), behind a header of 30 bytes and a name of 5.
    spoiled[local! + 35] = 0b111;
    await expect((await zipEntries(blobOf(spoiled)))[0]!.head(5)).rejects.toThrow(new ZipError('damaged'));
    for (const at of records(bytes, LOCAL)) view.setUint16(at + 8, 9, true);
    for (const at of records(bytes, CENTRAL)) view.setUint16(at + 10, 9, true);
    expect([...(await (await zipEntries(blobOf(bytes)))[0]!.head(5))]).toEqual([...text('to be')]);
  });

  it('never unpacks to more than it claims', async () => {
    const bytes = zipSync({ 'a.bin': new Uint8Array(5e6) }, { level: 6 });
    const view = new DataView(bytes.buffer);
    for (const at of records(bytes, LOCAL)) view.setUint32(at + 22, 1000, true);
    for (const at of records(bytes, CENTRAL)) view.setUint32(at + 24, 1000, true);
    const [entry] = await zipEntries(blobOf(bytes));
    expect(entry!.size).toBe(1000);
    await expect(entry!.content()).rejects.toThrow(new ZipError('damaged'));
  });

  it('that claims more than it stores is cut off', async () => {
    const bytes = zipSync({ 'a.bin': text('abc') }, { level: 0 });
    const view = new DataView(bytes.buffer);
    for (const at of records(bytes, CENTRAL)) view.setUint32(at + 24, 1000, true);
    const [entry] = await zipEntries(blobOf(bytes));
    await expect(entry!.content()).rejects.toThrow(new ZipError('cut off'));
  });

  it('that is none is damaged', async () => {
    await expect(zipEntries(blobOf(text('PK\x03\x04 and no more')))).rejects.toThrow(new ZipError('damaged'));
  });
});

describe('a new archive', () => {
  afterEach(() => vi.useRealTimers());

  const made = async (reproducible: boolean): Promise<Uint8Array> => {
    const zip = new NewZip({ reproducible });
    await zip.add('a.txt', text('a'));
    await zip.add('sub/ü.bin', new Blob(['b']));
    return new Uint8Array(await (await zip.close()).arrayBuffer());
  };

  it.each([true, false])('holds its files as they are (reproducible: %s)', async (reproducible) => {
    const files = unzipSync(await made(reproducible));
    expect(Object.keys(files)).toEqual(['a.txt', 'sub/ü.bin']);
    expect(new TextDecoder().decode(files['sub/ü.bin'])).toBe('b');
  });

  it('is the same at any time, if wanted', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(2020, 0, 1) });
    const [first, dated] = [await made(true), await made(false)];
    vi.setSystemTime(new Date(2030, 5, 5));
    expect(await made(true)).toEqual(first);
    expect(await made(false)).not.toEqual(dated);
  });
});
