/** @file Numbers for objects, so that keys can name what is the same object. */

/** A number for each object, the same as long as it lives, and no other's. */
export class Numbered {
  readonly #numbers = new WeakMap<object, number>();
  #next = 0;

  of(object: object): number {
    const number = this.#numbers.get(object) ?? this.#next++;
    this.#numbers.set(object, number);
    return number;
  }
}
