/** @file Whether the window is as narrow as a phone's: there what few people need is folded at first. */

/** As the window is now: what is folded stays so when a device is turned. */
export const isNarrow = (): boolean => !matchMedia('(min-width: 860px)').matches;
