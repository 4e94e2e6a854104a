/** @file Diffusion, in words. */
import * as v from 'valibot';
import { choiceField, flagField, numberField } from '#src/tasks/formFields.ts';
import type { Example, TaskInfo } from '../info.ts';
import { flag, oneOf, real } from '../optionSchema.ts';
import { defaults } from './options.ts';

/** All else is as in the demo. @param style built-in set */
const exampleJob = (style: string): Example['job'] => ({
  task: 'diffusion',
  model: 'builtin:emoji',
  data: { train: `builtin:${style}/train`, heldout: `builtin:${style}/heldout` },
});

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
    choiceField(
      'sampler',
      'Sampler',
      {
        ddim: 'DDIM',
        euler: 'Euler',
        'dpm++_2m': 'DPM++ 2M',
      },
      'How samples are drawn. DPM++ 2M needs the fewest steps.',
    ),
    flagField(
      'buckets',
      'Keep the shape of wide and tall pictures',
      'Each shape is trained at a size of its own. Without it, pictures are cropped to squares.',
    ),
    flagField(
      'trainTextEncoder',
      'Train the text encoder too',
      'Helps with words that the model does not know. Takes more memory, and forgets sooner.',
    ),
    numberField(
      'offsetNoise',
      'Offset noise',
      { min: 0, max: 1, step: 0.01 },
      'About 0.05 lets the model learn very dark and very bright pictures. 0: off.',
    ),
    choiceField(
      'latents',
      'Latents',
      {
        mean: 'Middle',
        sample: 'Drawn anew',
      },
      'For models with a VAE: the middle of what the encoder says, or a new draw at each step.',
    ),
    choiceField(
      'captionLines',
      'Captions of several lines',
      {
        all: 'All lines, as one text',
        first: 'The first line',
      },
      'sd-scripts reads the first line only.',
    ),
  ],
  shows: 'pictures',
  prompts: true,
  // OFT's paper trains Stable Diffusion's blocks of side 80 at 6e-5: by the side, 2.7e-4 for those of 4.
  usual: { train: { steps: 400, batch: 1 }, rate: 0.25, sample: { steps: 20, guidance: 7.5 } },
  examples: [
    {
      id: 'riso',
      title: 'Two-ink prints',
      words: 'A model of icons learns to print them in black and vermilion on paper.',
      job: exampleJob('riso'),
    },
    {
      id: 'blueprint',
      title: 'Blueprints',
      words: 'A model of icons learns to draw them in blue on white.',
      job: exampleJob('blueprint'),
    },
    {
      id: 'high-contrast',
      title: 'Black and white',
      words: 'A model of coloured icons learns to draw them as black outlines.',
      job: exampleJob('high-contrast'),
    },
  ],
};
