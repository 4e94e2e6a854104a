/** @file What the learning rate can be multiplied by, for the page. */
export { FACTORS, factorAt } from '#src/optim/rates.ts';
