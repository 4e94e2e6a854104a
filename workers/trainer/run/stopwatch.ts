/** @file Where a run's time goes. */

export class Stopwatch {
  readonly #seconds = new Map<string, number>();
  readonly #nested: { readonly name: string; readonly began: number; inner: number }[] = [];

  /** Times a piece of work under a name; what is timed inside of it counts there only. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const own = { name, began, inner: 0 };
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

  /** Seconds by name, those of what is going on included. */
  seconds(): Record<string, number> {
    const seconds = new Map(this.#seconds);
    const now = performance.now();
    let inside = 0;
    for (const { name, began, inner } of this.#nested.toReversed()) {
      const spent = (now - began) / 1000;
      seconds.set(name, (seconds.get(name) ?? 0) + spent - inner - inside);
      inside = spent;
    }
    return Object.fromEntries(seconds);
  }
}
