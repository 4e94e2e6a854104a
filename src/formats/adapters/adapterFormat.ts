/** @file The names of the kinds of file that an adapter leaves as; what each is stands in kinds/. */
import type * as kinds from './kinds.ts';

export type AdapterFormat = keyof typeof kinds;
