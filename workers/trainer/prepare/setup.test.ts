/** @file Data that fit no model are named as what is wrong, not as a fault of the page. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { publicFetch } from '../testing/publicFetch.ts';
import { Lab, problem } from '../testing/sessions.ts';

beforeAll(() => void vi.stubGlobal('fetch', publicFetch()));
afterAll(() => vi.unstubAllGlobals());

it('arrays that do not fit the model are bad data, each with its array', async () => {
  const session = new Lab('misfit').newSession();
  const outcome = await session.prepare(
    {
      job: jobFromTable({ task: 'generic' }),
      model: { kind: 'builtin', id: 'shapes' },
      train: { kind: 'builtin', id: 'turned-waves/train' },
      heldout: null,
      backend: 'wasm',
    },
    false,
  );
  expect(problem(outcome)).toMatchObject({
    code: 'bad-data',
    message: expect.stringMatching(
      /^\S+: the array "x" has the shape \[512,4\], which does not fit/,
    ) as string,
    safe: 'Nothing was changed.',
  });
});
