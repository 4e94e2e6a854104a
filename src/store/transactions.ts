/**
 * @file One object store of IndexedDB: reads, and changes that happen whole or not at all. A connection that breaks is replaced by another. Failures are
 * StoreErrors.
 */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { type StoreError, storeError } from './errors.ts';

export { promisifyRequest as asked } from 'idb-keyval';

/** All keys that begin with `prefix`. */
export const within = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

/** Errors that may be the connection's and not the request's: browsers close it, and clear or stop what is behind it, at any time. */
const CONNECTION = new Set(['InvalidStateError', 'AbortError', 'UnknownError']);

/** A transaction that was broken off without a reason has none. */
const mayBeConnection = (error: unknown): boolean =>
  error === null || (error instanceof DOMException && CONNECTION.has(error.name));

export class Transactions {
  readonly #open: () => UseStore;
  #store: UseStore;
  /** There is a database: what fails from now on is no refusal to have one. */
  #there = false;

  constructor(database: string, store: string) {
    this.#open = () => createStore(database, store);
    this.#store = this.#open();
  }

  /** One transaction; where it broke, and so did nothing, once more over a new connection. */
  async #use<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const store = this.#store;
    try {
      return await store(mode, (records) => {
        this.#there = true;
        const { db } = records.transaction;
        // Whoever deletes the database or changes its version waits for this, and all who open it for them.
        db.onversionchange = () => {
          db.close();
          this.#replace(store);
        };
        return work(records);
      });
    } catch (error) {
      if (!mayBeConnection(error)) throw error;
      this.#replace(store);
      return await this.#store(mode, work).catch((again: unknown) => {
        const closed = this.#there && again instanceof DOMException && again.name === 'InvalidStateError';
        throw closed ? new DOMException(again.message, 'AbortError') : again;
      });
    }
  }

  #replace(store: UseStore): void {
    if (this.#store === store) this.#store = this.#open();
  }

  /** Throws StoreError. */
  async read<T>(request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      return await this.#use('readonly', (store) => promisifyRequest(request(store)));
    } catch (error) {
      throw storeError(error);
    }
  }

  /**
   * One transaction. `work` may await nothing but requests of the store.
   * @param explain the StoreError of what went wrong; everything stored before is still there then
   */
  async change<T>(
    work: (store: IDBObjectStore) => T | Promise<T>,
    explain: (error: unknown) => StoreError | Promise<StoreError> = (error) => storeError(error),
  ): Promise<T> {
    try {
      return await this.#use('readwrite', async (store) => {
        const done = promisifyRequest(store.transaction);
        done.catch(() => undefined);
        let result: T;
        try {
          result = await work(store);
        } catch (error) {
          // A put that throws (data that cannot be cloned) must not leave the rest to be committed.
          try {
            store.transaction.abort();
          } catch {
            // It was over already.
          }
          throw error;
        }
        await done;
        return result;
      });
    } catch (error) {
      const failure = await explain(error);
      throw failure;
    }
  }
}
