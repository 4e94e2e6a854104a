/** @file Checkpoints that lie in IndexedDB before their runs are listed, so that several runs come all at once or not at all. */
import { StoreError } from './errors.ts';
import type { WrittenHeader } from './runHeader.ts';
import { checksum } from './checksum.ts';
import {
  bytesOf,
  checkpointKey,
  checkpointRecord,
  readRecord,
  runKey,
  type RunRecord,
} from './runRecords.ts';
import { asked, type Transactions, within } from './transactions.ts';

/** A run that comes from elsewhere: its checkpoint, if it had one, is staged already. */
export interface Adopted {
  readonly header: WrittenHeader;
  /** The user's own. */
  readonly name: string | undefined;
  /** Of the staged checkpoint; null: it has none. */
  readonly bytes: number | null;
}

/** Why so many bytes of a run were not written. */
type NoRoom = (error: unknown, id: string, bytes: number) => Promise<StoreError>;

export class Staging<C> {
  readonly #records: Transactions;
  readonly #noRoom: NoRoom;

  constructor(records: Transactions, noRoom: NoRoom) {
    this.#records = records;
    this.#noRoom = noRoom;
  }

  /** Writes the checkpoint of a run that is not listed until it is adopted. Returns its bytes. Throws StoreError. */
  async put(header: WrittenHeader, content: C): Promise<number> {
    const bytes = bytesOf(content);
    const record = checkpointRecord({ ...header, bytes }, content, await checksum(content));
    await this.#records.change(
      (store) => {
        store.put(record, checkpointKey(header.id, 1));
      },
      (error) => this.#noRoom(error, header.id, bytes),
    );
    return bytes;
  }

  /** Forgets checkpoints that were staged and not adopted. */
  async drop(ids: readonly string[]): Promise<void> {
    await this.#records.change(async (store) => {
      for (const id of ids)
        if ((await asked(store.count(runKey(id)))) === 0) store.delete(within(`checkpoint/${id}/`));
    });
  }

  /**
   * Lists runs whose checkpoints are staged, and puts removed ones back: all of them or none.
   * @param back ids of removed runs
   * @throws StoreError, also where one of the checkpoints is gone or one of the ids is taken
   */
  async adopt(runs: readonly Adopted[], back: readonly string[] = []): Promise<void> {
    await this.#records.change(async (store) => {
      for (const id of back) {
        const record = readRecord(await asked(store.get(runKey(id))));
        if (record) store.put({ ...record, removedAt: undefined }, runKey(id));
      }
      for (const { header, name, bytes } of runs) {
        const { id } = header;
        const staged = bytes === null || (await asked(store.count(checkpointKey(id, 1)))) > 0;
        const taken = (await asked(store.count(runKey(id)))) > 0;
        if (!staged || taken)
          throw new StoreError(
            'unavailable',
            'Another tab changed the saved runs meanwhile, so that none was added.',
            'Close the other tabs of this page, and import once more.',
          );
        const record: RunRecord = {
          version: 1,
          header: { ...header, bytes: bytes ?? 0 },
          checkpoints: bytes === null ? [] : [1],
          sizes: bytes === null ? [] : [bytes],
          marks: bytes === null ? [] : [{ step: header.step, savedAt: header.savedAt }],
          name,
        };
        store.put(record, runKey(id));
      }
    });
  }
}
