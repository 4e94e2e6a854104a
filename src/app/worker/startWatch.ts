/** @file Watches the runtime's start from outside of the worker: what hangs or blocks in there cannot tell of itself. */
import type { StartSign } from '#workers/protocol.ts';
import { Silence } from './silence.ts';
import type { Clock } from './ticking.ts';

/**
 * So long may compiling and starting the threads be silent, in milliseconds. It took 0.6 to 4.9 s on two cores that had
 * fifteen to twenty-four programs to run: what is silent for six times that is not slow, but stuck. Bytes on their way are not counted: the fetching watches
 * itself.
 */
export const SILENCE = 30_000;

export class StartWatch {
  readonly #silence: Silence;
  #threads = 0;

  /** `onStuck` hears, once, that a start with so many threads does not answer. */
  constructor(onStuck: (threads: number) => void, clock?: Clock) {
    this.#silence = new Silence(() => onStuck(this.#threads), clock);
  }

  /** Every sign is an answer. */
  hear(sign: StartSign): void {
    this.end();
    // For `npm run bench -- starts`.
    if (sign.kind !== 'fetching') performance.mark(`rotune ${sign.kind}`);
    if (sign.kind !== 'starting') return;
    this.#threads = sign.threads;
    this.#silence.begin(SILENCE);
  }

  end(): void {
    this.#silence.end();
  }
}

/** The runtime's start does not answer. */
export class StuckStart extends Error {
  override readonly name = 'StuckStart';
  readonly threads: number;

  constructor(threads: number) {
    super(`It did not start within ${SILENCE / 1000} s.`);
    this.threads = threads;
  }
}

/** What people are told of the second start. */
export const restartedNote = (threads: number): string =>
  threads === 1
    ? `Restarted: the first start did not answer for ${SILENCE / 1000} s.`
    : `Restarted with one thread: the start with ${threads} did not answer for ${SILENCE / 1000} s. It trains more slowly; reloading the page tries again with all.`;
