/** @file Where a run's time goes. */

export class Stopwatch {
  readonly #seconds = new Map<string, number>();
  readonly #nested: { inner: number }[] = [];

  /** Times a piece of work under a name; what is timed inside of it counts there only. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const own = { inner: 0 };
    this.#nested.push(own);
    try {
      return await work();
    } finally {
      const spent = (performance.now() - began) / 1000;
      this.#nested.splice(this.#nested.indexOf(own), 1);
      this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + spent - own.inner);
      const outer = this.#nested.at(-1);
      if (outer) outer.inner += spent;
    }
  }

  /** Seconds by name. */
  seconds(): Record<string, number> {
    return Object.fromEntries(this.#seconds);
  }
}
