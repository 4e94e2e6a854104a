/** @file The tasks, a line for each: what is known of them without loading them. Plain exports, since job files are read outside of Vite, too. */
export { info as diffusion } from './diffusion/info.ts';
export { info as generic } from './generic/info.ts';
export { info as imageClassification } from './image-classification/info.ts';
export { info as language } from './language/info.ts';
export { info as pairs } from './pairs/info.ts';
export { info as textClassification } from './text-classification/info.ts';
