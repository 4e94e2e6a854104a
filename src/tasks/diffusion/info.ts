/** @file Diffusion, in words. */
import * as v from 'valibot';
import type { TaskInfo } from '../info.ts';
import { flag, oneOf, real } from '../optionSchema.ts';
import { defaults } from './options.ts';

export const info: TaskInfo = {
  id: 'diffusion',
  rank: 1,
  title: 'Draw in a style',
  summary: 'Teaches an image model how your pictures look.',
  wants:
    'A folder of images; captions in .txt files beside them, in metadata.jsonl or .csv, or in the file names.',
  entries: {
    sampler: v.optional(oneOf(['ddim', 'euler', 'dpm++_2m'])),
    offset_noise: v.optional(real('a number from 0 to 1', (x) => x >= 0 && x <= 1)),
    buckets: v.optional(flag),
    train_text_encoder: v.optional(flag),
    latents: v.optional(oneOf(['mean', 'sample'])),
    caption_lines: v.optional(oneOf(['all', 'first'])),
  },
  defaults: { ...defaults },
  fields: [
    {
      kind: 'choice',
      key: 'sampler',
      label: 'Sampler',
      help: 'How samples are drawn. DPM++ 2M needs the fewest steps.',
      choices: [
        { value: 'ddim', label: 'DDIM' },
        { value: 'euler', label: 'Euler' },
        { value: 'dpm++_2m', label: 'DPM++ 2M' },
      ],
    },
    {
      kind: 'flag',
      key: 'buckets',
      label: 'Keep the shape of wide and tall pictures',
      help: 'Each shape is trained at a size of its own. Without it, pictures are cropped to squares.',
    },
    {
      kind: 'flag',
      key: 'trainTextEncoder',
      label: 'Train the text encoder too',
      help: 'Helps with words that the model does not know. Takes more memory, and forgets sooner.',
    },
    {
      kind: 'number',
      key: 'offsetNoise',
      label: 'Offset noise',
      help: 'About 0.05 lets the model learn very dark and very bright pictures. 0: off.',
      min: 0,
      max: 1,
      step: 0.01,
    },
    {
      kind: 'choice',
      key: 'latents',
      label: 'Latents',
      help: 'For models with a VAE: the middle of what the encoder says, or a new draw at each step.',
      choices: [
        { value: 'mean', label: 'Middle' },
        { value: 'sample', label: 'Drawn anew' },
      ],
    },
    {
      kind: 'choice',
      key: 'captionLines',
      label: 'Captions of several lines',
      help: 'sd-scripts reads the first line only.',
      choices: [
        { value: 'all', label: 'All lines, as one text' },
        { value: 'first', label: 'The first line' },
      ],
    },
  ],
  shows: 'pictures',
  prompts: true,
  // OFT's paper trains Stable Diffusion's blocks of side 80 at 6e-5: by the side, 2.7e-4 for those of 4.
  usual: { train: { steps: 400, batch: 1 }, rate: 0.25, sample: { guidance: 7.5 } },
  example: null,
};
