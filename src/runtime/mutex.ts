/** @file One thing at a time. */

/** Runs tasks one after the other, in the order in which they were given. A task that fails does not stop the next. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** Two overlapping runs or session creations hang onnxruntime's WebGPU provider, even across sessions: one lock for the realm. */
export const ortMutex = new Mutex();
