/** @file Pages of held-out examples, and which pictures are asked for. */
import { expect, it } from 'vitest';
import type { JudgedExample, Picture, PicturesRequest } from '#workers/protocol.ts';
import { Heldout, PAGE } from './heldout.svelte.ts';

const source = { kind: 'builtin', id: 'shapes/heldout' } as const;
const examples = Array.from({ length: 60 }, (_, i): JudgedExample => ({
  ...{ name: `${i}.png`, is: 'fox', share: 0.5 },
  says: i < 3 ? 'owl' : 'fox',
}));
const picture: Picture = { width: 1, height: 1, rgba: new Uint8ClampedArray(4) };

const fake = () => {
  const asked: string[][] = [];
  const pictures = ({ paths }: PicturesRequest) => {
    asked.push([...paths]);
    const value = paths.map((path) => (path === '1.png' ? null : picture));
    return Promise.resolve({ ok: true as const, value });
  };
  return { asked, pictures };
};

it('asks for the pictures of what is shown alone, each once', async () => {
  const trainer = fake();
  const held = new Heldout(trainer, examples, source);
  expect(held.wrong).toBe(3);
  await held.more();
  expect(held.shown).toEqual(examples.slice(0, PAGE));
  expect(held.pictureOf('0.png')).toEqual(picture);
  expect(held.pictureOf('1.png')).toBeNull();
  expect(held.pictureOf('30.png')).toBeUndefined();
  await held.more(Infinity);
  expect(held.left).toBe(0);
  expect(trainer.asked.flat()).toEqual(examples.map(({ name }) => name));
  expect(trainer.asked.every((paths) => paths.length <= PAGE)).toBe(true);
});

it('lists them where there are no pictures', async () => {
  const trainer = fake();
  const held = new Heldout(trainer, examples, null);
  await held.more();
  expect(held.shown).toHaveLength(PAGE);
  expect(held.left).toBe(60 - PAGE);
  expect(trainer.asked).toEqual([]);
});
