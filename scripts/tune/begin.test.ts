/** @file Whatever folders people have and name: `npm run tune` leaves every byte of theirs as it is. */
import fc from 'fast-check';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { play, type Tune } from '../testing/folderCase.ts';
import { folderCase } from '../testing/folderTrees.ts';

let root: string;
let tune: Tune;
beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'rotune-')));
  mkdirSync(join(root, 'case'));
  vi.stubEnv('INIT_CWD', join(root, 'case/here'));
  tune = {
    ...(await import('./begin.mjs')),
    ...(await import('./options.mjs')),
    library: { ...(await import('./library.ts')), ...(await import('./inputs.ts')) },
    results: (await import('./places.mjs')).RESULTS,
  };
  // Everything that the command consists of is loaded.
}, 60_000);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

it('nothing of other people’s changes, and nothing is left where a run is refused or comes to nothing', async () => {
  let began = 0;
  await fc.assert(
    fc.asyncProperty(folderCase, async (each) => {
      began += await play(join(root, 'case'), tune, each);
    }),
    { numRuns: depth(12, 400) },
  );
  expect(began).toBeGreaterThan(depth(1, 80));
}, 300_000);
