/** @file The normalisation family. */
export * from './softmax.ts';
export * from './layerNorm.ts';
export * from './channelNorm.ts';
export * from './responseNorm.ts';
