/** @file How much the page keeps in the browser, by kind: asked of the browser's storage itself, so that no worker is opened for it. */
import { storedBytes } from '#src/platform/stored.ts';
import { privateDepot } from '#src/store/downloads.ts';
import { GivenStore } from '#src/store/given.ts';
import { isPersisted, room } from '#src/store/persistence.ts';
import { PreparedStore } from '#src/store/prepared.ts';
import type { StorageReport } from '#workers/protocol.ts';
import { openSavedRuns } from './firstLook.ts';

/** 0 where there is no storage: then nothing is in it. */
const orNone = (bytes: Promise<number>): Promise<number> => bytes.catch(() => 0);

const total = (bytes: readonly number[]): number => bytes.reduce((n, x) => n + x, 0);

async function downloaded(): Promise<number> {
  const depot = privateDepot();
  // Equal files lie there once.
  const blobs = new Set((await depot.list()).flatMap(({ files }) => files.map(({ blob }) => blob)));
  return total(await Promise.all([...blobs].map(async (name) => (await depot.blob(name))?.size ?? 0)));
}

export async function storageReport(): Promise<StorageReport> {
  const [runs, prepared, downloads, given, app, space, persisted] = await Promise.all([
    orNone(openSavedRuns().bytes()),
    orNone(new PreparedStore().list().then((sets) => total(sets.map(({ bytes }) => bytes)))),
    orNone(downloaded()),
    orNone(new GivenStore().bytes()),
    storedBytes(),
    room(),
    isPersisted(),
  ]);
  return {
    ...{ runs, prepared, downloads, given, app, persisted },
    used: space?.used ?? null,
    quota: space?.quota ?? null,
  };
}
