/** @file What the browser itself keeps: runs, given files with their bytes, and how much of each there is. */
import { afterEach, expect, it } from 'vitest';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { contentKey } from '#src/store/contentKey.ts';
import { GivenStore } from '#src/store/given.ts';
import { openRuns } from '#workers/trainer/saved.ts';
import { changeRun, dropRun, lastRun, savedRuns } from './firstLook.ts';
import { storageReport } from './storage.ts';
import { tidyGiven } from './tidyGiven.ts';

const id = 'storage-test';
const header = {
  ...{ id, job: fakeJob, step: 2, savedAt: Date.now(), finished: false },
  ...{ modelName: 'emoji', dataName: 'mine', selfContained: false },
};
const file = (path: string, bytes: number) => ({ path, blob: new Blob([new Uint8Array(bytes).fill(bytes)]) });

afterEach(async () => {
  await dropRun(id);
  await tidyGiven();
});

it('is counted by kind, and files come back from the disk', async () => {
  // What other tests' runs were given goes first.
  await tidyGiven();
  const before = await storageReport();
  const given = new GivenStore();
  const files = [file('a.png', 3_000_000), file('b.png', 70)];
  expect(await given.put(id, { train: { kind: 'files', name: 'mine', files } })).toEqual({});
  await openRuns().note({ ...header, state: 'failed' });
  const after = await storageReport();
  expect(after.given - before.given).toBe(3_000_070);
  expect(after.runs).toBe(before.runs);
  expect(after.quota).toBeGreaterThan(0);
  await tidyGiven();
  const { sources } = await new GivenStore().get(id);
  const [a, b] = sources.train!.files;
  expect(await contentKey(a!.blob)).toBe(await contentKey(files[0]!.blob));
  expect(b).toMatchObject({ path: 'b.png', blob: { size: 70 } });
  await dropRun(id);
  await tidyGiven();
  expect((await storageReport()).given).toBe(before.given);
});

it('lists, names and removes runs without a worker', async () => {
  await openRuns().note({ ...header, state: 'failed' });
  expect(await changeRun(id, (runs) => runs.rename(id, 'Mine'))).toEqual({ ok: true, value: null });
  expect(await savedRuns()).toMatchObject([{ id, name: 'Mine', state: 'failed' }]);
  // Nothing was saved of it.
  expect(await lastRun({ runs: savedRuns })).toBeNull();
  await changeRun(id, (runs) => runs.setRemoved(id, Date.now()));
  expect(await savedRuns()).toEqual([]);
  await dropRun(id);
  expect(await changeRun(id, (runs) => runs.rename(id, 'x'))).toMatchObject({ problem: { code: 'no-run' } });
});
