/** @file Long work in pieces: a realm that computes hears nothing, neither a cancel nor a question, until it lets other tasks run. */

/** Milliseconds of work between two breaths: whoever cancels waits no longer. */
const STINT = 100;

/** Lets other tasks run: messages, timers. A MessageChannel is not slowed down like nested timers or in hidden tabs. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** The breaths of one long work, which asks after each of its pieces. */
export class Breath {
  #last: number;
  readonly #heard: () => void;
  readonly #now: () => number;

  /**
   * @param heard called after each breath; throwing from it ends the work
   * @param now milliseconds
   */
  constructor(heard: () => void = () => undefined, now: () => number = () => performance.now()) {
    this.#heard = heard;
    this.#now = now;
    this.#last = now();
  }

  /** Whether it is time for one: a look at the clock, for loops that turn a million times. */
  get due(): boolean {
    return this.#now() - this.#last >= STINT;
  }

  /** Lets other tasks run. Throws what `heard` throws. */
  async take(): Promise<void> {
    await breathe();
    this.#heard();
    this.#last = this.#now();
  }

  /** Does something with each in its order, with breaths between. Throws what `heard` throws. */
  async each<T>(items: Iterable<T>, work: (item: T, i: number) => void): Promise<void> {
    let i = 0;
    for (const item of items) {
      if (this.due) await this.take();
      work(item, i++);
    }
  }

  /** What is made of each, in order, with breaths between. Throws what `heard` throws. */
  async map<T, Made>(items: Iterable<T>, make: (item: T, i: number) => Made): Promise<Made[]> {
    const all: Made[] = [];
    await this.each(items, (item, i) => all.push(make(item, i)));
    return all;
  }
}
