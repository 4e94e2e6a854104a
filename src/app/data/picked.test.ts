/** @file Picked files become a source. */
import { describe, expect, it } from 'vitest';
import { toSource } from './picked.ts';

const file = (path: string, content = '') => ({ path, blob: new Blob([content]) });

describe('toSource', () => {
  it('drops the folder’s own name and what is hidden, and sorts', () => {
    const source = toSource([
      file('cats/b.png'),
      file('cats/._b.png'),
      file('cats/.git/x.png'),
      file('__MACOSX/cats/b.png'),
      file('cats/a/1.png'),
    ]);
    expect(source?.name).toBe('cats');
    expect(source?.files.map(({ path }) => path)).toEqual(['a/1.png', 'b.png']);
  });

  it('keeps loose files', () => {
    const source = toSource([file('b.png'), file('a.png')]);
    expect(source?.name).toBe('2 files');
    expect(source?.files.map(({ path }) => path)).toEqual(['a.png', 'b.png']);
  });

  it('keeps the paths where two folders were dropped together', () => {
    expect(toSource([file('x/1.png'), file('y/1.png')])?.files.map(({ path }) => path)).toEqual([
      'x/1.png',
      'y/1.png',
    ]);
  });

  it('is nothing where nothing can be used', () => {
    expect(toSource([file('.DS_Store')])).toBeNull();
  });
});
