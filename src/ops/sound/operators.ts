/** @file Operators of sound: spectra and what they are made with. Every export is an operator's entry. */
export * from './fourier.ts';
export * from './tables.ts';
