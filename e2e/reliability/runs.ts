/** @file Runs by way of the page's own automation, what they told, and what lies of them in the browser's store. */
import type { Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind } from '#src/runtime/types.ts';
import { checksum } from '#src/store/checksum.ts';
import type { RecordedRun } from '#src/app/page/automation.ts';
import type { Outcome, RunEvent } from '#workers/protocol.ts';

/** What a run told so far. */
export type Told = Extract<RunEvent, { kind: 'checkpoint' | 'unsaved' | 'warning' }>;

declare global {
  var rotuneTold: Told[];
  var rotuneEnded: Promise<Outcome<RecordedRun>>;
}

/** A folder as a test hands it to the page. */
export interface Folder {
  readonly name: string;
  readonly files: readonly { readonly path: string; readonly base64: string }[];
}
/** What stands in for the folders that a job names, and how its run begins. */
interface Begun {
  readonly backend?: BackendKind;
  readonly resume?: boolean;
  readonly model?: Folder;
  readonly train?: Folder;
}

/** Opens the page, with one thread. */
export async function openPage(page: Page, address = '/'): Promise<void> {
  await page.goto(`${address}?threads=1`);
  await page.waitForFunction(() => globalThis.rotune !== undefined);
}

/** Starts a run, or goes on with the newest, and does not wait for its end. */
export const begin = (page: Page, job: Job, more: Begun = {}): Promise<void> =>
  page.evaluate(
    (options) => {
      globalThis.rotuneTold = [];
      globalThis.rotuneEnded = globalThis.rotune!.run(options, (event) => {
        if (event.kind === 'checkpoint' || event.kind === 'unsaved' || event.kind === 'warning')
          globalThis.rotuneTold.push(event);
      });
    },
    { backend: 'wasm' as const, ...more, job },
  );

export const ended = (page: Page): Promise<Outcome<RecordedRun>> =>
  page.evaluate(() => globalThis.rotuneEnded);
export const told = (page: Page): Promise<readonly Told[]> => page.evaluate(() => globalThis.rotuneTold);

/** Until so many updates are saved. */
export const savedUpTo = (page: Page, step: number) =>
  page.waitForFunction(
    (wanted) => globalThis.rotuneTold.some((event) => event.kind === 'checkpoint' && event.step >= wanted),
    step,
    { timeout: 120_000, polling: 20 },
  );

/** SHA-256 of what the last run learned, as its adapter's file. */
export async function adapterHash(page: Page): Promise<string> {
  const adapter = await page.evaluate(() => globalThis.rotune!.export());
  if (!adapter.ok) throw new Error(adapter.problem.message);
  return createHash('sha256').update(adapter.value.bytes).digest('hex');
}

/** The whole run, from its beginning; gives its id. Throws where it does not finish. */
export async function trained(page: Page, job: Job, backend: BackendKind = 'wasm'): Promise<string> {
  await begin(page, job, { backend });
  return finished(await ended(page));
}

/** The id of a run that came to its end; throws its problem. */
export function finished(outcome: Outcome<RecordedRun>): string {
  if (!outcome.ok) throw new Error(`${outcome.problem.code}: ${outcome.problem.message}`);
  if (outcome.value.outcome !== 'finished') throw new Error(`it ended as ${outcome.value.outcome}`);
  return outcome.value.id;
}

/** One record of a run's checkpoint, as it lies in the store. */
interface Lying {
  readonly header: { readonly step: number; readonly finished: boolean };
  readonly content: unknown;
  readonly sum: string;
}

/** Steps of a run's checkpoints that lie in the store with the checksum that they were written with, the oldest first; read by the page itself, past the product. */
export async function intact(page: Page, id: string): Promise<number[]> {
  const lying = await page.evaluate(async (run) => {
    const wait = <T>(request: IDBRequest<T>) =>
      new Promise<T>((done, fail) => {
        request.onsuccess = () => done(request.result);
        request.onerror = () => fail(request.error!);
      });
    const opening = indexedDB.open('rotune');
    // There is none: none is made.
    opening.onupgradeneeded = () => opening.transaction!.abort();
    const db = await wait(opening).catch(() => null);
    if (!db) return [];
    try {
      const store = db.transaction('runs').objectStore('runs');
      return (await wait(
        store.getAll(IDBKeyRange.bound(`checkpoint/${run}/`, `checkpoint/${run}/\uffff`)),
      )) as Lying[];
    } finally {
      db.close();
    }
  }, id);
  const steps: number[] = [];
  for (const { header, content, sum } of lying)
    if ((await checksum(content)) === sum) steps.push(header.step);
  return steps;
}
