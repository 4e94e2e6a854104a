/** @file Stops a training worker inside the saving of a checkpoint, at the moment that is asked for. */
import type { Page } from '@playwright/test';

/** Within a save: what was done of it last. The last two: all is handed over, and nobody has heard that it is stored. */
export const MOMENTS = ['checkpoint put', 'run put', 'earlier one deleted', 'stored, not read back'] as const;
export type Moment = (typeof MOMENTS)[number];

const STUCK = 'stuck in a save';

/** In the worker: at the next save, says so and computes no further. */
function stop([moment, stuck]: readonly [Moment, string]): void {
  const forEver = () => {
    console.log(stuck);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  const { put, delete: remove } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...args) {
    const request = put.apply(this, args);
    const key = typeof args[1] === 'string' ? args[1] : '';
    if (moment === 'checkpoint put' && key.startsWith('checkpoint/')) forEver();
    if (moment === 'run put' && key.startsWith('run/')) forEver();
    if (moment === 'stored, not read back' && key.startsWith('run/'))
      this.transaction.addEventListener('complete', forEver);
    return request;
  };
  IDBObjectStore.prototype.delete = function (...args) {
    const request = remove.apply(this, args);
    if (moment === 'earlier one deleted') forEver();
    return request;
  };
}

/** Resolves when the page's training worker stands still inside a save. */
export async function inSave(page: Page, moment: Moment): Promise<void> {
  const worker = page.workers().find((each) => each.url().includes('trainer'))!;
  const stuck = page.waitForEvent('console', (message) => message.text() === STUCK);
  await worker.evaluate(stop, [moment, STUCK] as const);
  await stuck;
}
