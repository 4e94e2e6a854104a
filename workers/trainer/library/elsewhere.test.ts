/** @file A second tab over the same storage: whatever is done there to a run that trains in the first one leaves it as it is. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { changeRun, dropRun } from '#src/app/worker/firstLook.ts';
import { once } from '#src/platform/kept.ts';
import { fakeLocks } from '#src/platform/testing/fakeLocks.ts';
import type { Session } from '../session.ts';
import { publicFetch } from '../testing/publicFetch.ts';
import { Lab, timeless, tinyJob, tinyRequest, value } from '../testing/sessions.ts';

beforeAll(() => {
  vi.stubGlobal('fetch', publicFetch());
  vi.stubGlobal('navigator', { locks: fakeLocks() });
});
afterAll(() => vi.unstubAllGlobals());

// The page's own functions know one database.
const lab = new Lab('rotune');
beforeEach(async () => {
  for (const { id } of await lab.runs().list()) await lab.runs().remove(id);
});

/** Longer than anybody waits here. */
const request = tinyRequest({
  train: { ...tinyJob.train, steps: 100_000, checkpointSteps: 50 },
  sample: { ...tinyJob.sample, every: 0 },
});

/** Trains, and stops when what begins at the first checkpoint, in the middle of all, has ended. */
async function trained(during: () => Promise<unknown>) {
  const session = lab.newSession();
  const answers: Promise<unknown>[] = [];
  const result = value(
    await session.start(
      request,
      (event) => {
        if (event.kind !== 'checkpoint' || answers.length > 0) return;
        answers.push(during().finally(() => void session.stop()));
      },
      undefined,
      'mine',
    ),
  );
  return { answer: await answers[0], losses: timeless(result) };
}

const refused = { ok: false, problem: { code: 'another-tab' } };

/** What a second tab can do: in its worker, and in its page before there is one. */
const actions: Readonly<Record<string, (second: Session) => Promise<unknown>>> = {
  rename: ({ library }) => library.renameRun('mine', 'theirs'),
  remove: ({ library }) => library.removeRun('mine'),
  'put back': ({ library }) => library.restoreRun('mine'),
  keep: ({ library }) => library.keepRun(null, 'mine'),
  'rename on the page': () => changeRun('mine', (runs) => runs.rename('mine', 'theirs')),
  'remove on the page': () => changeRun('mine', (runs) => runs.setRemoved('mine', Date.now())),
  'go on': (second) => second.start(request, () => undefined, 'mine'),
};

/** Losses of the same run when nobody else is there. */
const alone = once(async () => {
  const { losses } = await trained(() => Promise.resolve());
  await lab.runs().remove('mine');
  return losses;
});

it.each(Object.keys(actions))('refuses to %s', async (name) => {
  const expected = await alone();
  const { answer, losses } = await trained(() => actions[name]!(lab.newSession()));
  expect(answer).toMatchObject(refused);
  const run = await lab.runs().find('mine');
  expect(run).toMatchObject({ id: 'mine', state: 'stopped', step: losses.length });
  expect(run!.name).not.toBe('theirs');
  const both = Math.min(losses.length, expected.length);
  expect(both).toBeGreaterThanOrEqual(50);
  expect(losses.slice(0, both)).toEqual(expected.slice(0, both));
});

it('drops nothing of it, and frees nothing', async () => {
  const { answer } = await trained(async () => {
    const second = lab.newSession();
    const before = (await lab.runs().find('mine'))!.checkpoints;
    await second.library.discard('mine');
    await dropRun('mine');
    await second.library.freeCheckpoints();
    return (await lab.runs().find('mine'))!.checkpoints >= before;
  });
  expect(answer).toBe(true);
});

it('may look at it, take it out, and go back in a run of its own', async () => {
  const { answer } = await trained(async () => {
    const { library } = lab.newSession();
    const { name, left } = value(await library.exportRuns(['mine']));
    const steps = value(await library.savedSteps('mine'));
    const branch = value(await library.branchRun('mine', steps[0]!.step));
    return { name, left, branch: branch.id !== 'mine' };
  });
  expect(answer).toMatchObject({ left: [], branch: true });
});

it('does as it likes with it once it stands still', async () => {
  await trained(() => Promise.resolve());
  const { library } = lab.newSession();
  value(await library.renameRun('mine', 'theirs'));
  value(await library.removeRun('mine'));
  await library.discard('mine');
  expect(await lab.runs().find('mine')).toBeNull();
});
