/** @file How deep a sweep goes: `npm test` visits every kind once or a few times, `npm run sweep` all that there is. */
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether sweeps go to their full depth; vitest.config.ts reads it from the environment. */
    sweep: boolean;
  }
}

/**
 * The number of runs, or the cases, of a sweep.
 * @param quick for `npm test`: every kind of case is among them
 * @param full for `npm run sweep`
 */
export const depth = <T>(quick: T, full: T): T => (inject('sweep') ? full : quick);
