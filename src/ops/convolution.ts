/** @file Convolutions, pools and resampling. Every export is an operator's entry. */
export { Conv } from './conv.ts';
export { ConvTranspose } from './convTranspose.ts';
export { AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool } from './pooling.ts';
export { Resize, Upsample } from './resize.ts';
