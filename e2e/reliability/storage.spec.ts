/** @file Storage that fails, injected 45 times: runs end with the same bytes, nothing is called saved that is not, and nothing that was saved is lost. */
import { expect, test } from '../pages/test.ts';
import { adapterHash, begin, ended, finished, intact, openPage, savedUpTo, told, trained } from './runs.ts';
import { Case, job, long, pausedAt, STEPS } from './storageCase.ts';
import { inject, type Kind, spoil } from './storageFaults.ts';
import { Tally } from './tally.ts';

/** One checkpoint a step, and one at the end. */
const LAST = STEPS + 1;

let shared: Case;
test.describe.configure({ mode: 'default' });
test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({
    baseURL: test.info().project.use.baseURL!,
  });
  shared = await Case.open(await context.newPage());
});
test.afterAll(() => shared.page.context().close());

/** Where in the run, and how often. */
const moments = {
  first: [1, 1],
  third: [3, 1],
  last: [LAST, 1],
  all: [1, 99],
} as const;
type Moment = keyof typeof moments;

const kept = 'the run ends with the same bytes; what is called saved is; what was saved stays';
const often: readonly Moment[] = ['first', 'third', 'last', 'all'];
const puts: readonly (readonly [fault: string, kind: Kind, words: RegExp, at?: readonly Moment[]])[] = [
  ['no room (QuotaExceededError)', 'QuotaExceededError', /There is no room to save/],
  ['the database’s UnknownError', 'UnknownError', /does not do what it is asked \(UnknownError\)/],
  ['a transaction is aborted', 'abort', /does not do what it is asked|broke off/],
  ['a write that stores nothing', 'nothing', /cannot be read back/],
  ['a write that stores other numbers', 'altered', /cannot be read back/],
  ['a read that gives other numbers', 'readOther', /cannot be read back/],
  ['the connection is closed', 'closed', /broke off/],
  ['no database is given', 'denied', /does not let the page store anything/, ['all']],
];

for (const [fault, kind, words, at = often] of puts)
  test(fault, async () => {
    const tally = new Tally({ kind: 'Storage', fault, outcome: kept });
    const { page, hashes } = shared;
    for (const moment of at)
      await tally.try(`${kind}, ${moment}`, async () => {
        const [from, times] = moments[moment];
        if (kind === 'denied') {
          // Of a worker that has not opened any.
          await openPage(page);
          await page.evaluate((given) => globalThis.rotune!.prepare({ job: given, backend: 'wasm' }), job);
        }
        await inject(page, { kind, from, times });
        const id = await trained(page, job);
        await shared.sameBytes(hashes.short);
        await shared.untouched();
        const saying = await shared.honest(id);
        const unsaved = (await told(page)).filter((event) => event.kind === 'unsaved');
        if (unsaved.length > 0) expect(unsaved[0]!.problem.message).toMatch(words);
        // What comes once is tried again at once, or at the next step.
        if (kind === 'closed' ? moment !== 'all' : moment !== 'last' && moment !== 'all')
          expect(saying?.kind).toBe('checkpoint');
        if (saying?.kind === 'unsaved') await shared.saveAgain(id, words);
        await inject(page, null);
        await page.evaluate((run) => globalThis.rotune!.discard(run), id);
      });
    expect(tally.broken).toEqual([]);
  });

test('the disk is full', async ({ browser }) => {
  const tally = new Tally({
    kind: 'Storage',
    fault: 'the browser’s own quota is used up',
    outcome: `${kept}; with room again one button saves it`,
  });
  const { hashes } = shared;
  const { page, cdp, origin } = shared;
  /** The browser takes the room that it last knew of for there for half a minute. */
  const limit = async () => {
    await cdp.send('Storage.overrideQuotaForOrigin', {
      origin,
      quotaSize: 100,
    });
    await page.waitForTimeout(31_000);
  };
  for (const after of [0, 1, 3, 6])
    await tally.try(`after ${after} steps are saved`, async () => {
      try {
        if (after > 0) await pausedAt(page, after);
        await limit();
        await begin(page, long, { resume: after > 0 });
        const id = finished(await ended(page));
        await shared.sameBytes(hashes.long);
        await shared.untouched();
        await shared.honest(id);
        await cdp.send('Storage.overrideQuotaForOrigin', { origin });
        await shared.saveAgain(id, /There is no room to save/, 12);
      } finally {
        await cdp.send('Storage.overrideQuotaForOrigin', { origin });
      }
    });
  await tally.try('a new private window without room', async () => {
    const context = await browser.newContext({ baseURL: shared.origin });
    try {
      const narrow = await context.newPage();
      await openPage(narrow);
      const session = await context.newCDPSession(narrow);
      await session.send('Storage.overrideQuotaForOrigin', {
        origin,
        quotaSize: 100,
      });
      const id = await trained(narrow, job);
      expect(await adapterHash(narrow)).toBe(hashes.short);
      expect((await told(narrow)).every(({ kind }) => kind !== 'checkpoint')).toBe(true);
      expect(await intact(narrow, id)).toEqual([]);
      await expect(narrow.getByText(/There is no room to save/).first()).toBeVisible();
    } finally {
      await context.close();
    }
  });
  expect(tally.broken).toEqual([]);
});

test('the store goes in the middle', async () => {
  const tally = new Tally({
    kind: 'Storage',
    fault: 'site data cleared, the database deleted or its version changed in mid-run',
    outcome: 'the run ends with the same bytes, and its end is saved in the new store',
  });
  const { page, cdp, origin, hashes } = shared;
  const gone: Readonly<Record<string, () => Promise<unknown>>> = {
    cleared: () =>
      cdp.send('Storage.clearDataForOrigin', {
        origin,
        storageTypes: 'indexeddb',
      }),
    'all cleared': () => cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' }),
    deleted: () =>
      page.evaluate(
        () =>
          new Promise((done, fail) => {
            const request = indexedDB.deleteDatabase('rotune');
            request.onsuccess = () => done(null);
            request.onerror = fail;
          }),
      ),
    'version changed': () =>
      page.evaluate(
        () =>
          new Promise((done, fail) => {
            const request = indexedDB.open('rotune', Date.now());
            request.onsuccess = () => {
              request.result.close();
              done(null);
            };
            request.onerror = fail;
          }),
      ),
  };
  for (const [name, act] of Object.entries(gone))
    for (const after of [1, 6])
      await tally.try(`${name} after step ${after}`, async () => {
        await begin(page, long);
        await savedUpTo(page, after);
        await act();
        const id = finished(await ended(page));
        await shared.sameBytes(hashes.long);
        expect((await shared.honest(id))?.kind).toBe('checkpoint');
        expect((await intact(page, id)).at(-1)).toBe(12);
      });
  expect(tally.broken).toEqual([]);
});

test('what is stored is damaged', async () => {
  const tally = new Tally({
    kind: 'Storage',
    fault: 'bits turned in the newest saved state, or it is rubbish, or gone',
    outcome: 'the run goes on from the state before, says so, and ends with the same bytes',
  });
  const { page, hashes } = shared;
  for (const damage of ['turned', 'rubbish', 'gone'] as const)
    await tally.try(damage, async () => {
      const id = await pausedAt(page, 4);
      const good = await intact(page, id);
      await page.evaluate(spoil, [id, damage] as const);
      const left = await intact(page, id);
      expect(left, 'states that are whole').toEqual(good.slice(0, -1));
      await openPage(page);
      await begin(page, long, { resume: true });
      expect(finished(await ended(page))).toBe(id);
      await shared.sameBytes(hashes.long);
      await shared.honest(id);
      if (damage === 'gone') return;
      const warnings = (await told(page)).filter(({ kind }) => kind === 'warning');
      expect(JSON.stringify(warnings)).toMatch(/damaged|cannot be read/);
    });
  expect(tally.broken).toEqual([]);
});
