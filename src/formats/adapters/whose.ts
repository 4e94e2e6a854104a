/** @file Whose keys a file has. */
import { isSplit } from './kohya/splitBlocks.ts';

/** Of LyCORIS and its relatives. */
export const hasOftBlocks = (keys: readonly string[]): boolean =>
  keys.some((key) => key.endsWith('.oft_blocks') || isSplit(key));

/** Of PEFT, OneTrainer and sd-scripts. */
export const hasOftR = (keys: readonly string[]): boolean =>
  keys.some((key) => /\.oft_(embedding_)?R\.([^.]+\.)?weight$/.test(key));
