/** @file Watches the runtime's start from outside of the worker: what hangs or blocks in there cannot tell of itself. */
import type { StartSign } from '#workers/protocol.ts';
import { type Clock, realClock, TICK } from './ticking.ts';

/**
 * So long may compiling and starting the threads be silent, in milliseconds. It took 0.6 to 4.9 s on two cores that had
 * fifteen to twenty-four programs to run: what is silent for six times that is not slow, but stuck. Bytes on their way are not counted: the fetching watches
 * itself.
 */
export const SILENCE = 30_000;
export class StartWatch {
  readonly #onStuck: (threads: number) => void;
  readonly #clock: Clock;
  readonly #silence: number;
  #end: (() => void) | null = null;

  /** `onStuck` hears, once, that a start with so many threads does not answer. */
  constructor(onStuck: (threads: number) => void, clock: Clock = realClock, silence = SILENCE) {
    this.#onStuck = onStuck;
    this.#clock = clock;
    this.#silence = silence;
  }

  /** Every sign is an answer. */
  hear(sign: StartSign): void {
    this.end();
    // For `npm run bench -- starts`.
    if (sign.kind !== 'fetching') performance.mark(`rotune ${sign.kind}`);
    if (sign.kind !== 'starting') return;
    let ticks = 0;
    this.#end = this.#clock.every(TICK, () => {
      if (++ticks * TICK < this.#silence) return;
      this.end();
      this.#onStuck(sign.threads);
    });
  }

  end(): void {
    this.#end?.();
    this.#end = null;
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
