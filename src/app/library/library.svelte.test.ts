/** @file The list of saved runs: whoever waited for it finds what is saved, however often it was asked for meanwhile. */
import { expect, it } from 'vitest';
import { StoreError } from '#src/store/errors.ts';
import type { RunSummary } from '#workers/protocol.ts';
import { Library, type LibraryHost } from './library.svelte.ts';

const saved = [{ id: 'a' }] as RunSummary[];

/** A library whose questions are answered by hand, in any order. */
function asked() {
  const answers: (() => void)[] = [];
  const runs = () =>
    new Promise<readonly RunSummary[]>((resolve) => {
      answers.push(() => resolve(saved));
    });
  const library = new Library({ trainer: { runs } } as unknown as LibraryHost, {} as never);
  return { library, answers };
}

it.each([
  ['first', [0, 1, 2]],
  ['last', [2, 1, 0]],
  ['in the middle', [1, 0, 2]],
])('is there for each of three that ask at once, the first one answered %s', async (_when, order) => {
  const { library, answers } = asked();
  const found = [0, 1, 2].map(async () => {
    await library.refresh();
    return library.find('a')?.id;
  });
  for (const i of order) {
    answers[i]!();
    await Promise.resolve();
  }
  expect(await Promise.all(found)).toEqual(['a', 'a', 'a']);
});

it('keeps the list that it has where storage does not answer, says so, and asks again', async () => {
  let answer = (): Promise<readonly RunSummary[]> => Promise.resolve(saved);
  const library = new Library({ trainer: { runs: () => answer() } } as unknown as LibraryHost, {} as never);
  await library.refresh();
  answer = () =>
    Promise.reject(new StoreError('failed', 'The database does not answer.', 'Reload the page.'));
  await library.refresh();
  expect(library.find('a')).not.toBeNull();
  expect(library.problem).toMatchObject({
    code: 'storage',
    message: 'The database does not answer.',
    cure: 'Reload the page.',
    safe: expect.stringMatching(/not lost/) as unknown,
  });
  answer = () => Promise.resolve([]);
  await library.refresh();
  expect(library.problem).toBeNull();
  expect(library.find('a')).toBeNull();
});
