/** @file A reload of its tab does not cost a job that is being made. */
import { expect, it } from 'vitest';
import { parseJob } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { GivenStore } from '#src/store/given.ts';
import { NOTHING, type Picked } from '../worker/request.ts';
import { isLivingDraft, KeptDraft, type TabStorage } from './keptDraft.ts';

function tab(): TabStorage & { readonly held: Map<string, string> } {
  const held = new Map<string, string>();
  return {
    held,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
  };
}
const picked: Picked = {
  ...NOTHING,
  train: { kind: 'files', name: 'mine', files: [{ path: 'mine/a.txt', blob: new Blob(['owl']) }] },
};
// Whole, as jobs are that come from a file.
const job = {
  ...parseJob(printJob(fakeJob)),
  data: { ...fakeJob.data, train: 'mine', heldout: null, split: 0.1 },
};

it('comes back with its settings and its files, in its own tab alone', async () => {
  const given = new GivenStore(`draft-${Math.random()}`);
  const storage = tab();
  new KeptDraft(given, storage).save(job, picked);
  await expect.poll(async () => (await new KeptDraft(given, storage).restore())?.files.train).toBeDefined();
  const back = (await new KeptDraft(given, storage).restore())!;
  expect(back.job).toEqual(job);
  const { train } = back.files;
  if (train?.kind !== 'files') throw new Error('no files');
  expect(await train.files[0]!.blob.text()).toBe('owl');
  expect(await new KeptDraft(given, tab()).restore()).toBeNull();
});

it('what cannot be read is as if nothing had been kept', async () => {
  const given = new GivenStore(`draft-${Math.random()}`);
  for (const held of ['', '{', '7', '{"id":1,"job":"x"}', '{"id":"draft-1-a","job":"steps = ["}']) {
    const storage = tab();
    storage.setItem('rotune.draft', held);
    expect(await new KeptDraft(given, storage).restore()).toBeNull();
  }
  expect(await new KeptDraft(given, null).restore()).toBeNull();
});

it('files of drafts are forgotten when their tab must be long gone', () => {
  const now = 1e12;
  expect(isLivingDraft(`draft-${now - 1000}-x`, now)).toBe(true);
  expect(isLivingDraft(`draft-${now - 3e8}-x`, now)).toBe(false);
  expect(isLivingDraft('a run', now)).toBe(false);
});
