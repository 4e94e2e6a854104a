/** @file Promises that are kept for whoever asks again. One that fails is forgotten, so that the next who asks tries anew: a fault must not outlive its cause. */

/** By key: a Map, or a WeakMap where keys are objects whose results go with them. */
interface Shelf<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
  delete(key: K): boolean;
}

/** Results by key, each made once; those that failed are made again. */
export class Kept<K, T> {
  readonly #shelf: Shelf<K, Promise<T>>;

  constructor(shelf: Shelf<K, Promise<T>> = new Map<K, Promise<T>>()) {
    this.#shelf = shelf;
  }

  /** What is kept under the key, or what `make` makes now. Whoever asks while it is made waits for the same. */
  get(key: K, make: () => Promise<T>): Promise<T> {
    const known = this.#shelf.get(key);
    if (known) return known;
    const made = make();
    this.#shelf.set(key, made);
    made.catch(() => {
      // Something newer may lie there by now.
      if (this.#shelf.get(key) === made) this.#shelf.delete(key);
    });
    return made;
  }

  forget(key: K): void {
    this.#shelf.delete(key);
  }
}

/** The newest result alone: another key takes the place of the one before. */
export class LastKept<T> {
  #key: string | null = null;
  #kept = new Kept<string, T>();

  get(key: string, make: () => Promise<T>): Promise<T> {
    if (key !== this.#key) this.#kept = new Kept();
    this.#key = key;
    return this.#kept.get(key, make);
  }
}

/** A function that makes its result when first asked, and again only if that failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  const kept = new Kept<null, T>();
  return () => kept.get(null, make);
}
