/** @file How long somebody has been silent, in ticks: for whoever gives up one that says nothing. */
import { type Clock, realClock, TICK } from './ticking.ts';

export class Silence {
  readonly #clock: Clock;
  readonly #onLong: () => void;
  #lasted = 0;
  #most = 0;
  #stop: (() => void) | null = null;

  /** `onLong` hears once of a silence that lasts longer than it may. */
  constructor(onLong: () => void, clock: Clock = realClock) {
    this.#onLong = onLong;
    this.#clock = clock;
  }

  /** Counts from the beginning: from now on silence may last so many milliseconds. */
  begin(most: number): void {
    this.#lasted = 0;
    this.#most = most;
    this.#stop ??= this.#clock.every(TICK, () => this.#tick());
  }

  #tick(): void {
    this.#lasted += TICK;
    if (this.#lasted < this.#most) return;
    this.end();
    this.#onLong();
  }

  /** Nobody is listened for, until it begins anew. */
  end(): void {
    this.#stop?.();
    this.#stop = null;
  }
}
