/** @file In what a saved run would go on otherwise, in words for the page. */
export { differenceWords } from '#src/training/means.ts';
