/** @file In a browser, too, archives are written, read by range and unpacked: its own streams do the packing, and what it cannot, the library's. */
import { zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { NewZip, zipEntries } from './zip.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const texts = async (archive: Blob): Promise<[string, string][]> =>
  Promise.all(
    (await zipEntries(archive)).map(async ({ path, content }) => [path, await (await content()).text()]),
  );

it.each([true, false])('reads back what it wrote (reproducible: %s)', async (reproducible) => {
  const zip = new NewZip({ reproducible });
  await zip.add('a.txt', text('a'));
  await zip.add('sub/ü.txt', new File(['from a file'], 'ü.txt'));
  expect(await texts(await zip.close())).toEqual([
    ['a.txt', 'a'],
    ['sub/ü.txt', 'from a file'],
  ]);
});

it.each([8, 9])('unpacks by method %d', async (method) => {
  const content = 'to be or not to be, that is the question';
  const bytes = zipSync({ 'a.txt': text(content) }, { level: 6 });
  const view = new DataView(bytes.buffer);
  for (let i = 0; i + 4 <= bytes.length; i++) {
    if (view.getUint32(i, true) === 0x04034b50) view.setUint16(i + 8, method, true);
    if (view.getUint32(i, true) === 0x02014b50) view.setUint16(i + 10, method, true);
  }
  expect(await texts(new Blob([bytes]))).toEqual([['a.txt', content]]);
});
