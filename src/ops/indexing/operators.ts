/** @file The indexing family: reading and writing elements by index, and what makes or uses indices. */
export * from './gathering.ts';
export * from './scattering.ts';
export * from './ordering.ts';
export * from './rearranging.ts';
