/** @file One object store of IndexedDB: reads, and changes that happen whole or not at all. Failures are StoreErrors. */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { type StoreError, storeError } from './errors.ts';

export { promisifyRequest as asked } from 'idb-keyval';

/** All keys that begin with `prefix`. */
export const within = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

export class Transactions {
  readonly #use: UseStore;

  constructor(database: string, store: string) {
    this.#use = createStore(database, store);
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
