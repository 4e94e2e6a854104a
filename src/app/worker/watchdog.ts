/** @file Notices from outside that the training worker is dead or stuck: it beats, and it holds a lock that its end gives back. */
import { SILENCE } from '#src/platform/pulse.ts';
import { type Clock, realClock, TICK } from './ticking.ts';

/** Why a worker is given up. */
export class WorkerGone extends Error {
  override readonly name = 'WorkerGone';
  /** A few words for people: “the part that computes …”. */
  readonly what: string;

  constructor(what: string, options?: ErrorOptions) {
    super(`The part of Rotune that computes ${what}.`, options);
    this.what = what;
  }
}

export const ended = (): WorkerGone => new WorkerGone('ended unexpectedly');
export const silent = (): WorkerGone => new WorkerGone(`did not answer for ${SILENCE / 1000} s`);

export class Watchdog {
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #silent = 0;
  #allowed = 0;
  #end: (() => void) | null = null;
  #over = false;

  /** `onSilent` hears once of a worker that stopped beating. Before its first beat it is not waited for: its script may still be on the way. */
  constructor(onSilent: () => void, clock: Clock = realClock) {
    this.#onSilent = onSilent;
    this.#clock = clock;
  }

  /** A beat, after which silence may last so much longer. */
  hear(allowed: number): void {
    if (this.#over) return;
    this.#silent = 0;
    this.#allowed = allowed;
    this.#end ??= this.#clock.every(TICK, () => this.#tick());
  }

  #tick(): void {
    this.#silent += TICK;
    if (this.#silent < SILENCE + this.#allowed) return;
    this.end();
    this.#onSilent();
  }

  end(): void {
    this.#over = true;
    this.#end?.();
    this.#end = null;
  }
}

/**
 * Resolves when whoever holds the lock is gone; never where the page has no locks (plain http).
 * @param signal ends the waiting
 */
export function lockFreed(name: string, signal: AbortSignal): Promise<void> {
  if (typeof navigator === 'undefined' || !('locks' in navigator)) return new Promise(() => undefined);
  return new Promise((resolve) => {
    navigator.locks.request(name, { signal }, () => resolve()).catch(() => undefined);
  });
}
