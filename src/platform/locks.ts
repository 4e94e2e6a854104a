/**
 * @file Web Locks: what one tab or worker holds until it gives it back, or ends however it may. Where a page has none (plain http, Node), every lock is free.
 */

export type Locks = Pick<LockManager, 'request'>;

/** Gives a lock back; resolves when another may take it. */
export type Release = () => Promise<void>;

const here = (): Locks | null =>
  (typeof navigator === 'undefined' ? undefined : (navigator as { locks?: Locks }).locks) ?? null;

/**
 * Takes a lock; null: another holds it.
 * @param patience milliseconds to wait for it: a worker that was ended gives its locks back a moment later
 */
export function takeLock(name: string, patience = 0, locks: Locks | null = here()): Promise<Release | null> {
  if (!locks) return Promise.resolve(() => Promise.resolve());
  const options = patience > 0 ? { signal: AbortSignal.timeout(patience) } : { ifAvailable: true };
  return new Promise((resolve, reject) => {
    const held: Promise<unknown> = locks
      .request(name, options, (lock) => {
        if (!lock) {
          resolve(null);
          return undefined;
        }
        return new Promise<void>((free) => {
          resolve(async () => {
            free();
            await held;
          });
        });
      })
      .catch((cause: unknown) => {
        // A busy realm may hear of its patience's end before it hears that the lock is its own.
        if (patience > 0 && cause instanceof DOMException) takeLock(name, 0, locks).then(resolve, reject);
        else reject(cause instanceof Error ? cause : new Error('The lock cannot be asked for.', { cause }));
      });
  });
}

/** Resolves when nobody holds the lock; never where there are no locks, or once the signal comes. */
export function lockFreed(name: string, signal?: AbortSignal, locks: Locks | null = here()): Promise<void> {
  if (!locks) return new Promise(() => undefined);
  return new Promise((resolve) => {
    // Shared, so that several may wait, and nobody who wants it is refused by one of them.
    locks
      .request(name, { mode: 'shared', ...(signal && { signal }) }, () => resolve())
      .catch(() => undefined);
  });
}
