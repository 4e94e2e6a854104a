import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { DataError } from '../files.ts';
import { captionFromName, parseCsv } from './captions.ts';
import { loadImages, requireImages } from './data.ts';
import { decodePng } from './testing/decodePng.ts';
import { diskFiles, memoryFiles } from './testing/diskFiles.ts';

/** A 2 × 2 PNG of one colour. */
function png(r: number, g: number, b: number, alpha = 255): Uint8Array {
  const image = new PNG({ width: 2, height: 2 });
  for (let i = 0; i < 4; i++) image.data.set([r, g, b, alpha], 4 * i);
  return new Uint8Array(PNG.sync.write(image));
}
const load = (files: Record<string, Uint8Array | string>, prefix = '') =>
  loadImages(memoryFiles(files), prefix, decodePng, 2);
const captions = (folder: Awaited<ReturnType<typeof load>>) =>
  Object.fromEntries(folder.images.map((i) => [i.path, i.caption]));

describe('the built-in images', () => {
  it('load without problems, with the pixels that the reference trained on', async () => {
    const files = diskFiles('public/data/high-contrast');
    const seen: number[] = [];
    const train = await loadImages(files, 'train/', decodePng, 32, (done) => seen.push(done));
    const heldout = await loadImages(files, 'heldout/', decodePng, 32);
    expect([train.images.length, heldout.images.length]).toEqual([58, 37]);
    expect([...train.problems, ...heldout.problems]).toEqual([]);
    expect(seen).toEqual(Array.from({ length: 58 }, (_, i) => i + 1));
    expect(train.images.find((i) => i.path === 'train/alarm-clock.png')?.caption).toBe('alarm clock');
    // The golden trajectory drew from these icons among many others. PyTorch rounded v/127.5 before it took 1 away, so levels are compared.
    const levels = (x: Float32Array): string => Array.from(x, (v) => Math.round((v + 1) * 127.5)).join();
    const x0 = tensors('emoji/trajectory_batches.safetensors').get('x0')!.data as Float32Array;
    const rows = new Set(
      Array.from({ length: x0.length / 3072 }, (_, i) => levels(x0.subarray(i * 3072, (i + 1) * 3072))),
    );
    const shared = [...train.images, ...heldout.images].filter((i) => rows.has(levels(i.pixels)));
    expect(shared.length).toBeGreaterThan(0);
  });
});

describe('captions', () => {
  it('come from a .txt beside, else metadata, else the file name', async () => {
    const folder = await load({
      'a/red-apple_2.png': png(1, 0, 0),
      'a/b.png': png(2, 0, 0),
      'a/c.png': png(3, 0, 0),
      'a/c.txt': ' from text\n',
      'a/metadata.jsonl':
        '\uFEFF{"file_name": "b.png", "text": "from metadata"}\n\n{"file_name": "c.png", "text": "not this"}\n',
      'd/metadata.csv': 'file_name,text\r\n"e.png","a ""quoted"",\r\ncaption"\r\n',
      'd/e.png': png(4, 0, 0),
    });
    expect(captions(folder)).toEqual({
      'a/b.png': 'from metadata',
      'a/c.png': 'from text',
      'a/red-apple_2.png': 'red apple 2',
      'd/e.png': 'a "quoted",\r\ncaption',
    });
    expect(folder.problems.map((p) => [p.severity, p.item])).toEqual([['warning', 'a/red-apple_2.png']]);
  });

  it('come from the file names alone without complaint, unless these say nothing', async () => {
    const folder = await load({
      'cat-face.png': png(1, 0, 0),
      'IMG_0042.png': png(2, 0, 0),
      '0007.png': png(3, 0, 0),
    });
    expect(captions(folder)['cat-face.png']).toBe('cat face');
    expect(folder.problems.map((p) => p.item)).toEqual(['0007.png', 'IMG_0042.png']);
    expect(captionFromName('x/y/owl__big - one.v2.jpeg')).toBe('owl big one.v2');
  });

  it('may be empty', async () => {
    const folder = await load({ 'cat.png': png(1, 0, 0), 'cat.txt': '' });
    expect([captions(folder), folder.problems]).toEqual([{ 'cat.png': '' }, []]);
  });
});

describe('a folder with faults', () => {
  it('has all of them named at once', async () => {
    const folder = await load({
      'fine.png': png(9, 9, 9),
      'twin.png': png(9, 9, 9),
      'broken.png': 'not a picture',
      'cut.png': png(5, 5, 5).slice(0, 40),
      'metadata.jsonl': '{"file_name": "gone.png", "text": "x"}\n{"file_name": 3}\nnonsense',
      'notes.md': 'ignored',
    });
    expect(folder.images.map((i) => i.path)).toEqual(['fine.png', 'twin.png']);
    const errors = folder.problems.filter((p) => p.severity === 'error').map((p) => p.message);
    expect(errors).toHaveLength(5);
    expect(errors.join('\n')).toMatch(/line 1: gone\.png is not in the folder/);
    expect(errors.join('\n')).toMatch(/line 2: needs "file_name" and "text"/);
    expect(errors.join('\n')).toMatch(/line 3/);
    expect(errors.join('\n')).toMatch(/broken\.png cannot be read as an image/);
    expect(errors.join('\n')).toMatch(/cut\.png cannot be read as an image/);
    expect(folder.problems.find((p) => p.item === 'twin.png')?.message).toMatch(/same image as fine\.png/);
    expect(() => requireImages(folder)).toThrow(DataError);
    expect(() => requireImages(folder)).toThrow(/broken\.png/);
  });

  it('is refused when empty', async () => {
    const folder = await load({ 'x/readme.txt': 'hello', 'y/a.png': png(0, 0, 0) }, 'x/');
    expect(() => requireImages(folder)).toThrow('There is no image in x/.');
  });

  it('has unfinished quotes in metadata.csv reported', async () => {
    const folder = await load({ 'a.png': png(0, 0, 0), 'metadata.csv': 'file_name,text\n"a.png,cat' });
    expect(folder.problems.map((p) => p.message).join()).toMatch(/metadata\.csv/);
  });

  it('has images that share one caption file pointed out', async () => {
    const folder = await load({ 'a.png': png(0, 0, 0), 'a.PNG': png(1, 1, 1), 'a.txt': 'cat' });
    expect(folder.problems.map((p) => p.message).join()).toMatch(/share the caption in a\.txt/);
  });
});

describe('parseCsv', () => {
  it('reads plain, quoted and empty fields', () => {
    expect(parseCsv('a,b\n1,\n"x,y","z""q"\n\n,2')).toEqual([
      ['a', 'b'],
      ['1', ''],
      ['x,y', 'z"q'],
      ['', '2'],
    ]);
  });
});

it('puts transparent pixels over white', async () => {
  const { images } = await load({ 'a.png': png(0, 0, 0, 0), 'b.png': png(255, 0, 0) });
  expect([...images[0]!.pixels]).toEqual(new Array(12).fill(1));
  expect([...images[1]!.pixels]).toEqual([1, 1, 1, 1, ...new Array<number>(8).fill(-1)]);
});
