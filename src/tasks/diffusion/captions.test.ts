/** @file Captions beside pictures, whatever the case and the way of their names. */
import { describe, expect, it } from 'vitest';
import type { TaskProblem } from '../types.ts';
import { readCaptions } from './captions.ts';
import { memoryFiles } from './testing/diskFiles.ts';

async function read(given: Record<string, string>, lines?: 'all' | 'first') {
  const files = memoryFiles(given);
  const images = files.paths.filter((path) => /\.(png|jpg|tiff|jfif)$/i.test(path));
  const problems: TaskProblem[] = [];
  const captions = await readCaptions(files, '', images, problems, lines);
  return {
    captions: Object.fromEntries([...captions].map(([path, { text }]) => [path, text])),
    problems: problems.map((p) => p.message),
  };
}

describe('caption files', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['in upper case', { 'D.PNG': '', 'D.TXT': 'x' }, { 'D.PNG': 'x' }],
    ['with an ending in upper case', { 'd.png': '', 'd.Txt': 'x' }, { 'd.png': 'x' }],
    ['of another case', { 'Cat.PNG': '', 'cat.txt': 'x' }, { 'Cat.PNG': 'x' }],
    ['of the whole name', { 'full.jpg': '', 'full.jpg.txt': 'x' }, { 'full.jpg': 'x' }],
    ['of the whole name, .caption', { 'full.jpg': '', 'FULL.JPG.CAPTION': 'x' }, { 'full.jpg': 'x' }],
    ['of both', { 'a.png': '', 'a.txt': 'txt', 'a.caption': 'caption' }, { 'a.png': 'txt' }],
    [
      'of two pictures apart',
      { 'a.png': '', 'a.jpg': '', 'a.txt': 'both', 'a.jpg.txt': 'jpg' },
      { 'a.png': 'both', 'a.jpg': 'jpg' },
    ],
    [
      'that differ in case only',
      { 'a.png': '', 'A.PNG': '', 'a.txt': 'small', 'A.TXT': 'large' },
      { 'a.png': 'small', 'A.PNG': 'large' },
    ],
    [
      'of other pictures',
      { 'b.jfif': '', 'c.tiff': '', 'b.txt': 'b', 'c.txt': 'c' },
      { 'b.jfif': 'b', 'c.tiff': 'c' },
    ],
    [
      'in a table, of another case',
      { 'A.PNG': '', 'metadata.csv': 'file_name,text\na.png,x' },
      { 'A.PNG': 'x' },
    ],
  ])('%s', async (_, files, captions) => {
    expect(await read(files)).toEqual({ captions, problems: [] });
  });

  it('of several lines are taken whole, and said; or their first line, where that is asked for', async () => {
    const files = { 'a.png': '', 'a.txt': '\n first line\r\nsecond line\n', 'b.png': '', 'b.txt': 'one\n' };
    const all = await read(files);
    expect(all.captions).toEqual({ 'a.png': 'first line\r\nsecond line', 'b.png': 'one' });
    expect(all.problems).toEqual([
      '1 caption has several lines, which are read as one text: a.txt. Other trainers (sd-scripts) read the first line only.',
    ]);
    expect(await read(files, 'first')).toEqual({
      captions: { 'a.png': 'first line', 'b.png': 'one' },
      problems: [],
    });
  });

  it('without a picture are named', async () => {
    const files = {
      'a.png': '',
      'a.txt': 'x',
      'b.txt': 'y',
      'c.caption': 'z',
      'readme.txt': '',
      'else/notes.txt': '',
    };
    expect((await read(files)).problems).toEqual([
      '2 caption files have no picture of the same name and are left out: b.txt, c.caption.',
    ]);
  });
});
