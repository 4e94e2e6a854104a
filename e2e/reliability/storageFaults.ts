/** @file Faults of IndexedDB, injected where a page's training worker stores its checkpoints. */
import type { Page, Worker } from '@playwright/test';

/** What is done to the puts of checkpoints, to what they are read back as, or to the connection. */
export type Kind =
  'QuotaExceededError' | 'UnknownError' | 'abort' | 'nothing' | 'altered' | 'readOther' | 'closed' | 'denied';

export interface StorageFault {
  readonly kind: Kind;
  /** The put that it begins with, from 1 on. */
  readonly from: number;
  /** Puts that it is done to. */
  readonly times: number;
}

interface Injected {
  fault: StorageFault | null;
  puts: number;
}

/** Injected into the worker: wraps its realm's IndexedDB once; what it does hangs on `rotuneFault`. */
function wrap(): void {
  const realm = globalThis as unknown as { rotuneFault?: Injected };
  if (realm.rotuneFault) return;
  const state: Injected = { fault: null, puts: 0 };
  realm.rotuneFault = state;
  const hit = (...kinds: Kind[]): Kind | null => {
    const { fault, puts } = state;
    return fault && kinds.includes(fault.kind) && puts >= fault.from && puts < fault.from + fault.times
      ? fault.kind
      : null;
  };
  const isCheckpoint = (key: unknown): boolean => String(key).startsWith('checkpoint/');
  const other = (value: unknown): unknown => {
    const copy = structuredClone(value) as { content: { checkpoint: { state: { theta: Float32Array } } } };
    copy.content.checkpoint.state.theta[7]! += 1e-3;
    return copy;
  };
  const { put, get } = IDBObjectStore.prototype;
  const { transaction } = IDBDatabase.prototype;
  const { open } = IDBFactory.prototype;
  const flagged = new WeakSet<IDBRequest>();
  const result = Object.getOwnPropertyDescriptor(IDBRequest.prototype, 'result')!;
  IDBObjectStore.prototype.put = function (value: unknown, key?: IDBValidKey) {
    if (!isCheckpoint(key)) return put.call(this, value, key);
    state.puts++;
    const kind = hit('QuotaExceededError', 'UnknownError', 'abort', 'nothing', 'altered');
    if (kind === 'nothing') return get.call(this, key!) as IDBRequest<IDBValidKey>;
    if (kind === 'QuotaExceededError' || kind === 'UnknownError') throw new DOMException('injected', kind);
    const request = put.call(this, kind === 'altered' ? other(value) : value, key);
    if (kind === 'abort') request.addEventListener('success', () => this.transaction.abort());
    return request;
  };
  IDBObjectStore.prototype.get = function (key) {
    const request = get.call(this, key) as IDBRequest<unknown>;
    if (isCheckpoint(key) && hit('readOther')) flagged.add(request);
    return request;
  };
  Object.defineProperty(IDBRequest.prototype, 'result', {
    ...result,
    get(this: IDBRequest) {
      const value: unknown = result.get!.call(this);
      return flagged.has(this) && value ? other(value) : value;
    },
  });
  IDBDatabase.prototype.transaction = function (...args) {
    // The put that it is for comes after.
    const { fault, puts } = state;
    const due = fault?.kind === 'closed' && puts + 1 >= fault.from && puts + 1 < fault.from + fault.times;
    if (due && args[1] === 'readwrite') {
      this.close();
      state.puts++;
    }
    return transaction.apply(this, args);
  };
  IDBFactory.prototype.open = function (...args) {
    if (state.fault?.kind === 'denied') throw new DOMException('injected', 'SecurityError');
    return open.apply(this, args);
  };
}

export const trainerOf = (page: Page): Worker => {
  const worker = page.workers().find((each) => each.url().includes('trainer'));
  if (!worker) throw new Error('there is no training worker');
  return worker;
};

/** From now on, or with null no more. */
export async function inject(page: Page, fault: StorageFault | null): Promise<void> {
  const worker = trainerOf(page);
  await worker.evaluate(wrap);
  await worker.evaluate((given) => {
    const { rotuneFault } = globalThis as unknown as { rotuneFault: Injected };
    Object.assign(rotuneFault, { fault: given, puts: 0 });
  }, fault);
}

/** Run in the page: damages the newest saved state of a run. */
export async function spoil([run, how]: readonly [string, 'turned' | 'rubbish' | 'gone']): Promise<void> {
  const wait = <T>(request: IDBRequest<T>) =>
    new Promise<T>((done, fail) => {
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error!);
    });
  const db = await wait(indexedDB.open('rotune'));
  const store = db.transaction('runs', 'readwrite').objectStore('runs');
  const range = IDBKeyRange.bound(`checkpoint/${run}/`, `checkpoint/${run}/\uffff`);
  const key = (await wait(store.getAllKeys(range))).at(-1)!;
  if (how === 'gone') await wait(store.delete(key));
  else if (how === 'rubbish') await wait(store.put('rubbish', key));
  else {
    const record = (await wait(store.get(key))) as {
      content: { checkpoint: { state: Record<string, Float32Array> } };
    };
    const { theta } = record.content.checkpoint.state;
    new Uint8Array(theta!.buffer, theta!.byteOffset)[40]! ^= 1;
    await wait(store.put(record, key));
  }
  db.close();
}
