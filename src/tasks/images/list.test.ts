/** @file Nothing that lies among pictures is left out silently: whatever its ending, it is decoded or named. */
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { collectImages } from './collect.ts';
import { findImages, imagePaths, isPictureName, PICTURE_ENDINGS } from './list.ts';
import { sideProblems, sideWord } from './sides.ts';
import { ImageStore } from './store.ts';
import { plainPng, testHost } from './testing/host.ts';
import pictures from './testing/pictures.json' with { type: 'json' };

const fileOf = (name: string): Uint8Array =>
  new Uint8Array(Buffer.from(pictures.find((p) => p.name === name)!.file, 'base64'));

describe('pictures of a folder', () => {
  it.each(PICTURE_ENDINGS)('are found by .%s, in lower and upper case', async (ending) => {
    const files = memoryFiles({ [`a.${ending}`]: plainPng(1), [`b.${ending.toUpperCase()}`]: plainPng(2) });
    expect(imagePaths(files)).toHaveLength(2);
    expect(await findImages(files)).toEqual({ paths: files.paths, problems: [] });
  });

  it('are found by their bytes where the name does not tell', async () => {
    const files = memoryFiles({
      photo: plainPng(1),
      'b.dat': fileOf('webp exif 1'),
      'c.xyz': fileOf('refused: ppm'),
    });
    expect(await findImages(files)).toEqual({ paths: ['b.dat', 'c.xyz', 'photo'], problems: [] });
  });

  it('have what lies beside them named, once', async () => {
    const beside = { 'a.txt': 'x', 'metadata.jsonl': '', 'README.md': '', LICENSE: '', 'Thumbs.db': '' };
    const others = { 'clip.mp4': 'no picture', 'doc.pdf': '%PDF', 'x/y.weird': '' };
    const { paths, problems } = await findImages(memoryFiles({ 'a.png': plainPng(1), ...beside, ...others }));
    expect(paths).toEqual(['a.png']);
    expect(problems.map((p) => p.message)).toEqual([
      '3 files are no pictures and are left out: clip.mp4, doc.pdf, x/y.weird.',
    ]);
  });

  it('of kinds that are not decoded are left out, once for each kind, with names', async () => {
    const zstd = fileOf('refused: tiff zstd');
    const files = memoryFiles({
      'a.png': plainPng(1),
      'b.tif': zstd,
      'c.TIFF': new Uint8Array([...zstd, 0]),
      'd.jp2': fileOf('refused: jpeg2000'),
      'e.tga': fileOf('refused: tga'),
      // The name lies.
      'f.jpg': fileOf('refused: bigtiff'),
      'g.cr2': fileOf('tiff 1'),
      'h.psd': new TextEncoder().encode('8BPS\0\u0001 and so on, for some bytes'),
    });
    const host = testHost(async (bytes, path, size) => {
      if (bytes[0] === 0x49) (await import('./tiff.ts')).decodeTiff(bytes);
      return testHost().decodeImage(bytes, path, size);
    });
    const { images, problems } = await collectImages(
      new ImageStore(files, host, { width: 8, height: 8 }),
      (await findImages(files)).paths,
    );
    expect([...images.keys()]).toEqual(['a.png']);
    expect(problems.map((p) => [p.severity, p.message])).toEqual(
      [
        '2 pictures are left out, b.tif, c.TIFF: TIFF with Zstandard compression is not decoded here.',
        '1 picture is left out, d.jp2: JPEG 2000 is not decoded here.',
        '1 picture is left out, e.tga: Targa is not decoded here.',
        '1 picture is left out, f.jpg: BigTIFF is not decoded here.',
        '1 picture is left out, g.cr2: raw photograph is not decoded here.',
        '1 picture is left out, h.psd: PSD is not decoded here.',
      ].map((message) => ['warning', message]),
    );
    const alone = memoryFiles({ 'e.tga': fileOf('refused: tga') });
    const nothing = await collectImages(new ImageStore(alone, host, { width: 8, height: 8 }), alone.paths);
    expect(nothing.problems.map((p) => p.severity)).toEqual(['error']);
  });

  it('are each decoded or named, for any names and any bytes', async () => {
    const endings = [...PICTURE_ENDINGS, 'jxl', 'psd', 'tga', 'dat', 'mp4', 'JPG', ''];
    const some = pictures.map(({ file }) => new Uint8Array(Buffer.from(file, 'base64')));
    for (let seed = 0; seed < 150; seed++) {
      const d = dice(seed);
      const given = Object.fromEntries(
        Array.from({ length: 6 }, (_, i) => {
          const bytes = d.pick(some);
          return [`${i}.${d.pick(endings)}`, d.pick([true, false]) ? bytes : damaged(d, bytes)];
        }),
      );
      const files = memoryFiles(given);
      const found = await findImages(files);
      const store = new ImageStore(files, testHost(), { width: 4, height: 4 });
      const { images, problems } = await collectImages(store, found.paths);
      const said = [...found.problems, ...problems].map((p) => p.message).join('\n');
      for (const path of files.paths)
        expect(images.has(path) || said.includes(path), `${path}: ${said}`).toBe(true);
    }
  });

  it('are told apart from texts and models by name', () => {
    expect(['a.JFIF', 'b.tif', 'c.heic', 'd.NEF'].every(isPictureName)).toBe(true);
    expect(['a.txt', 'png', 'model.onnx', 'a.png.txt'].some(isPictureName)).toBe(false);
  });
});

describe('mirroring', () => {
  it.each([
    ['a robot that looks left', 'left'],
    ['Right-handed guitar', 'Right'],
    ['TurnLeft', 'Left'],
    ['left_arrow', 'left'],
    ['a counterclockwise swirl', 'counterclockwise'],
    ['text says hello', 'text'],
    ['a mug, "BOSS" on it', '"BOSS"'],
    ['ein Pfeil nach rechts', 'rechts'],
    ['une flèche à gauche', 'gauche'],
    ['mano izquierda', 'izquierda'],
    ['кот смотрит влево', 'влево'],
    ['一只看向左边的猫', '左'],
  ])('is asked about for %j', (text, word) => {
    expect(sideWord(text)).toBe(word);
  });

  it.each([
    'a bright copyright',
    'a cleft chin',
    'a cat',
    'outright',
    'context',
    '',
    'drawing, 5 apples',
    'it’s upright',
  ])('is not for %j', (text) => {
    expect(sideWord(text)).toBeNull();
  });

  it('is warned of with the change that mends it, and only where it is on', () => {
    const told = [
      { item: 'a.png', text: 'looks left' },
      { item: 'b.png', text: 'a cat' },
    ];
    expect(sideProblems(false, told, 'captions')).toEqual([]);
    expect(sideProblems(true, [told[1]!], 'captions')).toEqual([]);
    const [problem] = sideProblems(true, told, 'captions');
    expect(problem).toMatchObject({ severity: 'warning', mend: { data: { flip: false } } });
    expect(problem!.message).toContain(
      '1 of 2 captions speak of sides or of writing ("left"), such as of a.png',
    );
    const digits = ['0', '1', 'b'].map((text) => ({ item: text, text }));
    expect(sideProblems(true, digits, 'class names')[0]!.message).toContain('3 of 3 class names');
    expect(sideProblems(true, digits, 'captions')).toEqual([]);
  });
});
