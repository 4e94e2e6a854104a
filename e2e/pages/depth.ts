/** @file How deep the end-to-end sweeps go; `src/platform/testing/depth.ts` says the same of the unit tests. */

/**
 * @param quick for `npm test`
 * @param full for `npm run sweep`
 */
export const depth = <T>(quick: T, full: T): T => (process.env.ROTUNE_SWEEP === '1' ? full : quick);
