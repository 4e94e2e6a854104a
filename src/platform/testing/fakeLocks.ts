/** @file Web Locks for tests in Node: one list for all that run in the process, as if each were a tab. */
import type { Locks } from '../locks.ts';

type Callback = (lock: { readonly name: string } | null) => unknown;
interface Options {
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
}

/** Exclusive locks, asked for with an option or two; shared ones are not told apart. */
export function fakeLocks(): Locks {
  const held = new Map<string, Promise<unknown>>();
  const request = async (name: string, options: Options, callback: Callback): Promise<unknown> => {
    while (held.has(name)) {
      if (options.ifAvailable) return callback(null);
      await Promise.race([
        held.get(name),
        new Promise((_resolve, reject) => {
          options.signal?.addEventListener('abort', () => reject(new DOMException('late', 'TimeoutError')));
        }),
      ]);
    }
    const work = Promise.resolve(callback({ name }));
    held.set(
      name,
      work.catch(() => undefined),
    );
    try {
      return await work;
    } finally {
      held.delete(name);
    }
  };
  return { request: request as Locks['request'] };
}
