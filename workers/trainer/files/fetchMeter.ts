/** @file How far all that is fetched for a run is: the runtime, the model and the data together. */

export class FetchMeter {
  readonly #files = new Map<string, { readonly done: number; readonly total: number }>();
  readonly #anew = new Set<string>();
  /** Hears of each change, bytes. */
  onChange: ((done: number, total: number) => void) | null = null;

  /** A file of so many bytes is going to be fetched. */
  expect(name: string, total: number): void {
    const known = this.#files.get(name);
    if (!known || known.total < total) this.came(name, known?.done ?? 0, total);
  }

  /** So many of a file's bytes are here. */
  came(name: string, done: number, total: number): void {
    this.#files.set(name, { done, total: Math.max(done, total) });
    const { done: all, total: whole } = this.sums;
    this.onChange?.(all, whole);
  }

  get sums(): { readonly done: number; readonly total: number } {
    let [done, total] = [0, 0];
    for (const file of this.#files.values()) {
      done += file.done;
      total += file.total;
    }
    return { done, total };
  }

  /** A file was damaged, and is fetched anew. */
  damaged(what: string): void {
    this.#anew.add(what);
  }

  /** What was fetched anew since this was last asked, in words. */
  takeAnew(): readonly string[] {
    const anew = [...this.#anew];
    this.#anew.clear();
    return anew;
  }

  /** What is here already is not counted any more: another job begins. */
  begin(): void {
    for (const [name, { done, total }] of this.#files)
      if (done >= total && total > 0) this.#files.delete(name);
  }
}
