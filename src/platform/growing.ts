/** @file A list of numbers that grows in place: 8 bytes each, and added to without copying what is there. */

/** Room doubles, so that each number is copied twice at most however long the list becomes. */
const FIRST = 256;

export class Growing {
  #numbers: Float64Array<ArrayBuffer>;
  #length: number;

  constructor(numbers: Float64Array = new Float64Array()) {
    this.#numbers = Float64Array.from(numbers);
    this.#length = numbers.length;
  }

  get length(): number {
    return this.#length;
  }

  /** NaN beyond the ends; negative ones count from the last. */
  at(i: number): number {
    const place = i < 0 ? this.#length + i : i;
    return place >= 0 && place < this.#length ? this.#numbers[place]! : Number.NaN;
  }

  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const more = new Float64Array(Math.max(FIRST, 2 * this.#length));
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#length++] = number;
  }

  /** What is there, uncopied: true until the next change. */
  view(): Float64Array {
    return this.#numbers.subarray(0, this.#length);
  }

  /** A copy, without the room for more. */
  copy(): Float64Array<ArrayBuffer> {
    return this.#numbers.slice(0, this.#length);
  }
}
