import { describe, expect, it } from 'vitest';
import { readExamples, timeIdsOf } from './examples.ts';
import quarters from '../images/testing/quarters.json' with { type: 'json' };
import { testHost } from '../images/testing/host.ts';
import { memoryFiles } from './testing/diskFiles.ts';

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

describe('the pictures of a folder', () => {
  it('go to the bucket of their shape as they are shown, turned by what the camera noted', async () => {
    const sizes = [
      { width: 16, height: 16 },
      { width: 20, height: 12 },
      { width: 12, height: 20 },
    ];
    const files = memoryFiles({
      'a.jpg': bytes(quarters.jpeg),
      'b.jpg': bytes(quarters['jpeg turned']),
      'c.png': bytes(quarters['png turned']),
      'd.avif': bytes(quarters['avif turned']),
    });
    const host = testHost(async (_, __, size) => {
      const { width, height } = size!;
      return { width, height, rgba: new Uint8ClampedArray(4 * width * height).fill(255) };
    });
    const { list } = await readExamples(files, sizes, true, host);
    expect(list.map(({ bucket }) => bucket)).toEqual([1, 2, 2, 2]);
    expect(list.map(({ timeIds }) => timeIds.slice(0, 2))).toEqual([
      [16, 24],
      [24, 16],
      [24, 16],
      [24, 16],
    ]);
  });

  it('are cropped by the side that is too long', () => {
    const side = { width: 16, height: 16 };
    expect(timeIdsOf({ width: 40, height: 24 }, side)).toEqual([24, 40, 0, 5, 16, 16]);
    expect(timeIdsOf({ width: 16, height: 16 }, side)).toEqual([16, 16, 0, 0, 16, 16]);
  });
});
