/** @file One thing at a time: overlapping calls to a WebGPU session hang the thread, so everything that touches one goes through here. */

export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `task` after all tasks given before it, whether they succeeded or not. A task must not wait for another of the same mutex. */
  run<T>(task: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
