/** @file What is known of all tasks without loading them: a line per task. Plain imports, since job files are read outside of Vite, too. */
import { info as diffusion } from './diffusion/info.ts';
import { info as generic } from './generic/info.ts';
import { info as imageClassification } from './image-classification/info.ts';
import type { TaskInfo } from './info.ts';
import { info as language } from './language/info.ts';
import { info as pairs } from './pairs/info.ts';
import { info as textClassification } from './text-classification/info.ts';

/** The built-in demo's first. */
export const taskInfos: readonly TaskInfo[] = [
  diffusion,
  imageClassification,
  textClassification,
  language,
  pairs,
  generic,
];

export const taskInfo = (id: string): TaskInfo | undefined => taskInfos.find((info) => info.id === id);
