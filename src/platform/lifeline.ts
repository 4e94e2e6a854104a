/**
 * @file Work that fails when what does it ends. Promise.race would do the same, and hold each result for as long as the other promise stands open: a race for
 * each step of a run is a leak.
 */

export class Lifeline {
  readonly #waiting = new Set<(cause: Error) => void>();
  #ended: Error | null = null;

  /** @param end rejects when what works is there no more */
  constructor(end: Promise<never>) {
    end.catch((reason: unknown) => {
      const cause = reason instanceof Error ? reason : new Error(String(reason));
      this.#ended = cause;
      for (const fail of this.#waiting) fail(cause);
      this.#waiting.clear();
    });
  }

  /** What the work comes to. Fails with the cause of the end where that comes first. */
  hold<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended) reject(this.#ended);
      this.#waiting.add(reject);
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}
