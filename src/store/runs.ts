/** @file Runs and their checkpoints in IndexedDB: each change is one transaction, so a checkpoint is there whole or not at all. */
import * as v from 'valibot';
import { checksum } from './checksum.ts';
import { StoreError, storeError } from './errors.ts';
import type { RunHeader, WrittenHeader } from './runHeader.ts';
import { headerOf, type Parsers, RunReader, RUNS } from './runReader.ts';
import {
  bytesOf,
  checkpointKey,
  checkpointRecord,
  checkpointSchema,
  keptOf,
  readRecord,
  runKey,
  runOf,
  type RunRecord,
  serialOf,
  sizeOf,
  withKept,
} from './runRecords.ts';
import { isHeld } from './runLock.ts';
import { spaced } from './spacing.ts';
import { Staging } from './staging.ts';
import { asked, Transactions, within } from './transactions.ts';

export type { RunHeader, WrittenHeader } from './runHeader.ts';
export { bytesOf } from './runRecords.ts';

export class RunStore<C> extends RunReader<C> {
  /** Runs that come from elsewhere. */
  readonly staging: Staging<C>;

  constructor(parsers: Parsers<C>, database = 'rotune') {
    super(new Transactions(database, RUNS), parsers);
    this.staging = new Staging(this.records, (...args) => this.#noRoom(...args));
  }

  /**
   * Writes a checkpoint and its run's record, and removes those that need not be kept (`spacing.ts`), in one transaction.
   * Throws StoreError; then everything stored before is still there.
   */
  async save(header: WrittenHeader, content: C): Promise<RunHeader> {
    const sum = await checksum(content);
    try {
      return await this.#put(header, content, sum);
    } catch (error) {
      // Earlier ones are a luxury: without them there may be room.
      if (!(error instanceof StoreError && error.failure === 'full')) throw error;
      return this.#put(header, content, sum, 0);
    }
  }

  /** @param sum the content's checksum */
  async #put(header: WrittenHeader, content: C, sum: string, room?: number): Promise<RunHeader> {
    const bytes = bytesOf(content);
    const { id, step, savedAt } = header;
    const written = await this.records.change(
      async (store) => {
        const before = readRecord(await asked(store.get(runKey(id))));
        const known = new Map((before ? keptOf(before) : []).map((each) => [each.serial, each]));
        // What is there, whatever a damaged record has forgotten of it.
        const there = (await asked(store.getAllKeys(within(`checkpoint/${id}/`)))).map(serialOf);
        const serial = (there.at(-1) ?? 0) + 1;
        const stored = { ...header, bytes };
        const all = [
          ...there.map((each) => known.get(each) ?? { serial: each, bytes, mark: null }),
          { serial, bytes, mark: { step, savedAt } },
        ];
        const record = withKept(
          { ...before, version: 1, header: stored, checkpoints: [] },
          spaced(all, room),
        );
        const kept = new Set(record.checkpoints);
        for (const each of all) if (!kept.has(each.serial)) store.delete(checkpointKey(id, each.serial));
        const key = checkpointKey(id, serial);
        store.put(checkpointRecord(stored, content, sum), key);
        store.put(record, runKey(id));
        const earlier: RunRecord = withKept(
          before ?? { ...record, header: { ...stored, step: 0, finished: false, bytes: 0 } },
          keptOf(record).slice(0, -1),
        );
        return { key, serial, earlier, header: headerOf(stored, header.job, record) };
      },
      (error) => this.#noRoom(error, id, bytes),
    );
    try {
      await this.#readBack(written.key, sum);
    } catch (error) {
      await this.#unwrite(written).catch(() => undefined);
      throw error;
    }
    return written.header;
  }

  /** Takes out a checkpoint that is not as it was written: among the newest it would push out those that are. */
  #unwrite(written: {
    readonly serial: number;
    readonly key: string;
    readonly earlier: RunRecord;
  }): Promise<void> {
    return this.#changed(written.earlier.header.id, (now, store) => {
      if (now?.checkpoints.at(-1) !== written.serial) return null;
      store.delete(written.key);
      return written.earlier;
    });
  }

  /** Makes sure that a checkpoint is there as it was written: only then is it saved. Throws StoreError. */
  async #readBack(key: string, sum: string): Promise<void> {
    const stored = v.safeParse(checkpointSchema, await this.records.read((store) => store.get(key)));
    if (stored.success && (await checksum(stored.output.content)) === sum) return;
    throw new StoreError(
      'failed',
      'What was saved cannot be read back from this browser’s storage.',
      'Save the adapter as a file before you close this tab, and free space on the disk.',
    );
  }

  /** Writes what is known of a run beside its checkpoints, which stay as they are. Throws StoreError. */
  async note(header: WrittenHeader): Promise<void> {
    await this.#changed(header.id, (before) => ({
      ...before,
      version: 1,
      header: { ...header, bytes: before?.header.bytes ?? 0 },
      checkpoints: before?.checkpoints ?? [],
    }));
  }

  /** Gives a run the user's own name; an empty one takes it away. Throws StoreError. */
  async rename(id: string, name: string): Promise<void> {
    const own = name.trim();
    await this.#changed(id, (before) => before && { ...before, name: own === '' ? undefined : own });
  }

  /** Takes a run from the list, or with null puts it back: nothing of it is gone until `tidy`. Throws StoreError. */
  async setRemoved(id: string, at: number | null): Promise<void> {
    await this.#changed(id, (before) => before && { ...before, removedAt: at ?? undefined });
  }

  /** Removes a run with its checkpoints, for good. */
  async remove(id: string): Promise<void> {
    await this.records.change((store) => this.#erase(store, id));
  }

  /**
   * Drops all but the newest readable checkpoint of each run that stands still, and says how many bytes that freed. Runs of which none can be read keep
   * them all.
   */
  async thin(): Promise<number> {
    let freed = 0;
    for (const { record } of await this.all()) {
      const { id } = record.header;
      if (await isHeld(id)) continue;
      const keys = await this.checkpointsOf(id);
      if (keys.length < 2) continue;
      let kept: string | null = null;
      for (const key of keys.toReversed()) if (!kept && (await this.readable(key, record))) kept = key;
      if (kept) freed += await this.#keepOnly(id, kept);
    }
    return freed;
  }

  /**
   * Cleans up: checkpoints that belong to no run, and runs that were removed before that time. All others stay, finished or not.
   * @param before milliseconds since 1970
   * @returns the ids of runs that are gone for good
   */
  async tidy(before = 0): Promise<string[]> {
    const removed = (await this.all())
      .filter(({ record }) => (record.removedAt ?? Infinity) < before)
      .map(({ record }) => record.header.id);
    await this.records.change(async (store) => {
      const gone: string[] = [];
      for (const id of removed) {
        // It may have been put back meanwhile.
        const record = readRecord(await asked(store.get(runKey(id))));
        if ((record?.removedAt ?? Infinity) >= before) continue;
        this.#erase(store, id);
        gone.push(id);
      }
      const keys = (await asked(store.getAllKeys())).map(String);
      const ids = new Set(keys.filter((k) => k.startsWith('run/')).map((k) => k.slice('run/'.length)));
      for (const key of keys) {
        const run = runOf(key);
        if (run !== null && !ids.has(run)) store.delete(key);
      }
      removed.splice(0, Infinity, ...gone);
    });
    return removed;
  }

  #erase(store: IDBObjectStore, id: string): void {
    store.delete(runKey(id));
    store.delete(within(`checkpoint/${id}/`));
  }

  async #keepOnly(id: string, key: string): Promise<number> {
    const serial = serialOf(key);
    let freed = 0;
    await this.#changed(id, (before, store) => {
      const all = before ? keptOf(before) : [];
      const one = all.find((each) => each.serial === serial);
      // A newer one has come since.
      if (!before || !one) return null;
      freed = sizeOf(before) - one.bytes;
      for (const other of before.checkpoints) if (other !== serial) store.delete(checkpointKey(id, other));
      return withKept(before, [one]);
    });
    return freed;
  }

  /** Why so many bytes of a run were not written, and what could be freed for them. */
  async #noRoom(error: unknown, id: string, bytes: number): Promise<StoreError> {
    const runs = await this.all().catch(() => []);
    const others = runs.reduce((n, { record }) => n + (record.header.id === id ? 0 : sizeOf(record)), 0);
    return storeError(error, bytes, others);
  }

  /** Changes a run's record in one transaction; null leaves it as it is. Throws StoreError. */
  #changed(
    id: string,
    change: (before: RunRecord | null, store: IDBObjectStore) => RunRecord | null,
  ): Promise<void> {
    return this.records.change(async (store) => {
      const after = change(readRecord(await asked(store.get(runKey(id)))), store);
      if (after) store.put(after, runKey(id));
    });
  }
}
