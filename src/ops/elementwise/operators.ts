/** @file The elementwise family. */
export * from './arithmetic.ts';
export * from './transcendental.ts';
export * from './activations.ts';
export * from './logic.ts';
export * from './bitwise.ts';
