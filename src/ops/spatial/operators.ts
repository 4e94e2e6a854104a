/** @file Convolutions, pools and resampling. Every export is an operator's entry. */
export * from './blocks.ts';
export { Conv } from './conv.ts';
export { ConvTranspose } from './convTranspose.ts';
export * from './gridSample.ts';
export * from './lpPooling.ts';
export { AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool } from './pooling.ts';
export { Resize, Upsample } from './resize.ts';
