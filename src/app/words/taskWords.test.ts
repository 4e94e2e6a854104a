/** @file What data are called: never images where there are none, and one of a thing in the singular. */
import { describe, expect, it } from 'vitest';
import {
  askingOf,
  examplesText,
  headingOf,
  itemsText,
  samplingOf,
  seesPictures,
  taskInfos,
  unbroken,
} from './taskWords.ts';

describe('words for data', () => {
  it.each([
    ['diffusion', 'Images', '1 image', '8 images', true],
    ['language', 'Texts', '1 text', '8 sequences', false],
    ['pairs', 'Pairs', '1 pair', '8 pairs', true],
    ['generic', 'Data', '1 example', '8 examples', false],
  ])('%s', (id, heading, one, step, pictures) => {
    const info = taskInfos.find((each) => each.id === id)!;
    expect(headingOf(info)).toBe(heading);
    expect(itemsText(info, 1)).toBe(one);
    expect(examplesText(info, 8)).toBe(step);
    expect(seesPictures(info)).toBe(pictures);
  });

  it('labels of texts are no pictures', () => {
    const info = { id: 'text-classification', shows: 'labels' } as const;
    expect(seesPictures(info)).toBe(false);
    expect(headingOf(info)).toBe('Texts');
    expect(itemsText(info, 1200)).toBe('1\u2009200 texts');
    expect(examplesText(info, 1)).toBe('1 text');
    expect(samplingOf(info)).toBe('Naming samples');
  });

  it('labels are named, not gone on from', () => {
    expect(askingOf({ shows: 'labels' }).press).toBe('Name it');
    expect(askingOf({ shows: 'texts' }).press).toBe('Go on');
    expect(unbroken('moon 61 %, star 9 %')).toBe('moon 61\u202f%, star 9\u202f%');
  });

  it('a task that nobody named has examples', () => {
    expect(headingOf({ id: 'new' })).toBe('Data');
    expect(itemsText({ id: 'new' }, 2)).toBe('2 examples');
  });
});
