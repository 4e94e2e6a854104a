/** @file Given data go out as they came. */
import { unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { archiveOf } from './archive.ts';
import { toSource } from './picked.ts';

it('holds every file under its path', async () => {
  const source = toSource([
    { path: 'my: cats/a.png', blob: new Blob([new Uint8Array([1, 2, 3])]) },
    { path: 'my: cats/sub/a.txt', blob: new Blob(['a cat']) },
  ])!;
  const { name, blob } = await archiveOf(source);
  expect(name).toBe('my_ cats.zip');
  const files = unzipSync(new Uint8Array(await blob.arrayBuffer()));
  expect(Object.keys(files)).toEqual(['a.png', 'sub/a.txt']);
  expect([...files['a.png']!]).toEqual([1, 2, 3]);
  expect(new TextDecoder().decode(files['sub/a.txt'])).toBe('a cat');
});
