/** @file The movement family: operators that rearrange elements, without arithmetic. */
export * from './reshaping.ts';
export * from './joining.ts';
export * from './slicing.ts';
export * from './padding.ts';
export * from './casting.ts';
