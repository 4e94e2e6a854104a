/** @file Ends of workers that nobody asked for. */

/** How a training worker can end, each done to it from inside, and in a task of its own: what the debugger itself runs the browser does not end. */
export const DEATHS = {
  'closes itself': () => void setTimeout(() => self.close()),
  'throws where nobody catches': () =>
    void setTimeout(() => {
      throw new Error('injected');
    }),
  // As a computation that never ends, without the heat.
  'gets stuck': () => void setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)),
} as const;
