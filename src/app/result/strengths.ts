/** @file Strengths of an adapter: what both ends are called, and how a slider along them is followed. */

export const UNTOUCHED = 0;
export const AS_TRAINED = 1;

/** Milliseconds. The slider sends many values a second: only the last one before a pause is drawn or asked. */
export const PAUSE_MS = 120;
