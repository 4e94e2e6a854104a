import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { DataError } from '../files.ts';
import { captionFromName } from './captions.ts';
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
    // Where something takes long, the count so far is told once more.
    expect([...new Set([0, ...seen])]).toEqual(Array.from({ length: 59 }, (_, i) => i));
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

  it.each<[string, Record<string, string>, string]>([
    ['semicolons', { 'metadata.csv': 'file_name;text\na.png;"a cat; asleep"\n' }, 'a cat; asleep'],
    ['tabs', { 'metadata.tsv': 'file_name\tcaption\na.png\ta, b\n' }, 'a, b'],
    ['other names of columns', { 'metadata.jsonl': '{"image":"a.png","prompt":"a cat"}' }, 'a cat'],
    ['Windows paths', { 'metadata.csv': 'file_name,text\n.\\a.png,a cat\n' }, 'a cat'],
    ['.caption files', { 'a.caption': 'a cat' }, 'a cat'],
  ])('come from %s', async (_, files, caption) => {
    const folder = await load({ 'a.png': png(1, 0, 0), ...files });
    expect([captions(folder), folder.problems]).toEqual([{ 'a.png': caption }, []]);
  });

  it('come from UTF-16, as spreadsheets save it', async () => {
    const text = '\uFEFFfile_name\ttext\r\na.png\tGröße\r\n';
    const utf16 = new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer);
    const folder = await load({ 'a.png': png(1, 0, 0), 'metadata.csv': utf16 });
    expect([captions(folder), folder.problems]).toEqual([{ 'a.png': 'Größe' }, []]);
  });

  it("come from sd-scripts' folders where an image has none of its own", async () => {
    const folder = await load({
      '10_red robot/0001.png': png(1, 0, 0),
      '10_red robot/0002.png': png(2, 0, 0),
      '10_red robot/0002.txt': 'a red robot, waving',
    });
    expect(captions(folder)).toEqual({
      '10_red robot/0001.png': 'red robot',
      '10_red robot/0002.png': 'a red robot, waving',
    });
    expect(folder.problems).toEqual([]);
  });

  it('of hidden files are not looked for', async () => {
    const folder = await load({
      'a.png': png(1, 0, 0),
      '.b.png': png(2, 0, 0),
      '__MACOSX/metadata.csv': 'x',
    });
    expect([captions(folder), folder.problems]).toEqual([{ 'a.png': 'a' }, []]);
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
      'metadata.jsonl': '{"file_name": "gone.png", "text": "x"}\n{"file_name": "fine.png"}\nnonsense',
      'notes.md': 'ignored',
    });
    expect(folder.images.map((i) => i.path)).toEqual(['fine.png', 'twin.png']);
    const errors = folder.problems.filter((p) => p.severity === 'error').map((p) => p.message);
    expect(errors).toHaveLength(5);
    expect(errors.join('\n')).toMatch(/row 1: gone\.png is not in the folder/);
    expect(errors.join('\n')).toMatch(/row 2: it needs "file_name" and "text"/);
    expect(errors.join('\n')).toMatch(/row 3: it is not JSON/);
    expect(errors.join('\n')).toMatch(/broken\.png cannot be read as an image/);
    expect(errors.join('\n')).toMatch(/cut\.png cannot be read as an image/);
    expect(folder.problems.find((p) => p.item === 'twin.png')?.message).toMatch(/same image as fine\.png/);
    expect(() => requireImages(folder)).toThrow(DataError);
    expect(() => requireImages(folder)).toThrow(/broken\.png/);
  });

  it.each<[string, Record<string, string | Uint8Array>, RegExp]>([
    ['a ragged row', { 'metadata.csv': 'file_name,text\na.png\n' }, /metadata\.csv, row 2: it has 1 field/],
    [
      'a missing column',
      { 'metadata.csv': 'file_name,colour\na.png,red\n' },
      /metadata\.csv has no column for the caption; its columns are file_name, colour/,
    ],
    [
      'another encoding',
      { 'a.txt': Uint8Array.of(71, 114, 246, 223, 101) },
      /a\.txt cannot be read: it is not UTF-8/,
    ],
  ])('has %s named', async (_, files, message) => {
    const { problems } = await load({ 'a.png': png(1, 0, 0), ...files });
    expect(problems.map((p) => p.message)).toContainEqual(expect.stringMatching(message));
  });

  it('lists twenty of many and counts the rest', async () => {
    const { problems } = await load(
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`cat ${i}.png`, 'no picture'])),
    );
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)!.message).toBe('10 more images cannot be read.');
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

it('puts transparent pixels over white', async () => {
  const { images } = await load({ 'a.png': png(0, 0, 0, 0), 'b.png': png(255, 0, 0) });
  expect([...images[0]!.pixels]).toEqual(new Array(12).fill(1));
  expect([...images[1]!.pixels]).toEqual([1, 1, 1, 1, ...new Array<number>(8).fill(-1)]);
});
