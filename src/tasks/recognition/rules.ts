/** @file By which rule each task knows a model that is made for it: a line for each. */
export { rule as diffusion } from '../diffusion/recognise.ts';
export { rule as generic } from '../generic/recognise.ts';
export { rule as imageClassification } from '../image-classification/recognise.ts';
export { rule as language } from '../language/recognise.ts';
export { rule as pairs } from '../pairs/recognise.ts';
export { rule as textClassification } from '../text-classification/recognise.ts';
