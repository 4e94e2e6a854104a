/** @file Diffusion, in words. */
import type { TaskInfo } from '../info.ts';

export const info: TaskInfo = {
  id: 'diffusion',
  title: 'Draw in a style',
  summary: 'Teaches an image model how your pictures look.',
  wants:
    'A folder of images; captions in .txt files beside them, in metadata.jsonl or .csv, or in the file names.',
  entries: {},
  defaults: {},
  fields: [],
  shows: 'pictures',
  prompts: true,
  example: null,
};
