import { describe, expect, it } from 'vitest';
import type { Examples } from './examples.ts';
import { readPipeline } from './pipeline.ts';
import { diskFiles } from './testing/diskFiles.ts';
import { promptNote, promptNotes, promptProblems, wordProblems } from './wordProblems.ts';

const folder = (captions: readonly string[]): Examples => ({
  files: {} as Examples['files'],
  list: captions.map((caption, i) => ({
    path: `${i}.png`,
    caption,
    hash: '',
    repeats: 1,
    bucket: 0,
    timeIds: [],
    pixels: null,
  })),
  sizes: [],
  problems: [],
  shown: [],
});
const clip = (await readPipeline(diskFiles('e2e/golden/tiny-sd'))).texts;
const words = (await readPipeline(diskFiles('public/models/emoji'))).texts;
const messages = (...given: Parameters<typeof wordProblems>) => wordProblems(...given).map((p) => p.message);

describe('captions', () => {
  it('that are too long are named with their tokens, each once', () => {
    const long = 'a cat '.repeat(10);
    expect(messages(clip, [folder(['a cat', long, long]), null])).toEqual([
      'The caption of 1.png has 22 tokens; the model reads 16, and the end is left out.',
    ]);
  });

  it.each(['a cat '.repeat(17_000), 'a'.repeat(100_000), '😀'.repeat(50_000)])(
    'of 100,000 characters are met (%#)',
    (caption) => {
      // This small tokenizer does not know all bytes either.
      const [long, ...others] = messages(clip, [folder([caption])]);
      expect(long).toMatch(/^The caption of 0\.png has \d+ tokens; the model reads 16/);
      for (const message of others) expect(message.length).toBeLessThan(200);
    },
  );

  it('of unknown words name them', () => {
    expect(messages(words, [folder(['red apple', 'zyzzyva apple qwertz', 'zyzzyva'])])).toEqual([
      'The model does not know "zyzzyva", "qwertz" in the caption of 1.png: it sees one and the same token for each.',
      'The model does not know "zyzzyva" in the caption of 2.png: it sees one and the same token for each.',
    ]);
    // Words are made of pieces: there are no unknown ones.
    expect(messages(clip, [folder(['zyzzyva'])])).toEqual([]);
  });

  it('are told as known if one of the encoders knows them', () => {
    expect(messages([...words, ...clip], [folder(['zyzzyva'])])).toEqual([]);
  });
});

describe('prompts', () => {
  it('of unknown words are named, in what is drawn and beforehand', () => {
    expect(promptNote(words, 'red apple')).toBeNull();
    expect(promptNote(words, 'zyzzyva apple qwertz')).toBe('The model does not know "zyzzyva", "qwertz".');
    expect(promptNotes(words, ['red apple', 'zyzzyva'])).toEqual([
      null,
      'The model does not know "zyzzyva".',
    ]);
    expect(promptNotes(words, ['red apple'])).toBeUndefined();
    expect(promptNotes([], ['zyzzyva'])).toBeUndefined();
    expect(promptProblems(words, ['red apple', 'zyzzyva', 'zyzzyva'])).toMatchObject([
      {
        severity: 'warning',
        message: 'The model does not know "zyzzyva" in the prompt “zyzzyva” of the samples.',
        group: {
          kind: 'unknown-prompts',
          words: '1 prompt of the samples has words that the model does not know.',
        },
      },
    ]);
  });

  it('that are too long are told to be cut', () => {
    expect(promptNote(clip, 'a cat '.repeat(10))).toBe('It is too long for the model: the end is left out.');
  });

  it('that no tokenizer reads keep a run from starting', () => {
    const broken = {
      tokenizer: {
        unknownWords: () => {
          throw new Error('no');
        },
      },
    } as unknown as (typeof words)[number];
    expect(promptProblems([broken], ['a'])).toMatchObject([
      { severity: 'error', cure: 'Change the prompt.' },
    ]);
  });
});
