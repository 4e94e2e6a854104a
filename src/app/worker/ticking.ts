/** @file Time as a watch counts it: a tick that comes late counts as one, so that nobody is waited for while the computer sleeps. */

/** Milliseconds between two ticks. */
export const TICK = 1000;

export interface Clock {
  every(ms: number, tick: () => void): () => void;
}

export const realClock: Clock = {
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  },
};
