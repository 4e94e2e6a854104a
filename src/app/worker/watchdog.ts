/** @file Notices from outside that the training worker is dead or stuck: it beats, and it holds a lock that its end gives back. */
import { SILENCE } from '#src/platform/pulse.ts';
import { Silence } from './silence.ts';
import type { Clock } from './ticking.ts';

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
  readonly #silence: Silence;
  #over = false;

  /** `onSilent` hears once of a worker that stopped beating. Before its first beat it is not waited for: its script may still be on the way. */
  constructor(onSilent: () => void, clock?: Clock) {
    this.#silence = new Silence(() => {
      this.#over = true;
      onSilent();
    }, clock);
  }

  /** A beat, after which silence may last so much longer. */
  hear(allowed: number): void {
    if (!this.#over) this.#silence.begin(SILENCE + allowed);
  }

  end(): void {
    this.#over = true;
    this.#silence.end();
  }
}
