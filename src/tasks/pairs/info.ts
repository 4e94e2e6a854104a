/** @file What the page and job files know of pairs. */
import * as v from 'valibot';
import { choiceField, numberField, textField } from '#src/tasks/formFields.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import {
  pictureDefaults,
  pictureEntries,
  pictureFields,
  type PictureOptions,
} from '#src/tasks/images/options.ts';
import { oneOf, real, text } from '#src/tasks/optionSchema.ts';

export interface PairsOptions extends PictureOptions {
  readonly loss: 'mse' | 'l1' | 'huber';
  /** Where Huber's loss turns from square to straight. */
  readonly delta: number;
  readonly normalise: 'auto' | 'half' | 'none';
  /** Output that is compared with the target; '': the first that fits. */
  readonly output: string;
}

export const pairsDefaults: PairsOptions = {
  ...pictureDefaults,
  loss: 'l1',
  delta: 1,
  normalise: 'auto',
  output: '',
};

/** What is measured fits both examples. @param data built-in set */
const exampleJob = (data: string): Example['job'] => ({
  task: 'pairs',
  model: 'builtin:repaint',
  data: { train: `builtin:${data}/train`, heldout: `builtin:${data}/heldout`, flip: true },
  train: { steps: 80, batch: 4, learning_rate: 0.01, schedule: 'cosine' },
  sample: { every: 20 },
  options: { loss: 'l1' },
});

export const info: TaskInfo = {
  id: 'pairs',
  rank: 5,
  title: 'Turn one into another',
  summary: 'Teaches a model to make a picture, or a row of numbers, out of another.',
  wants:
    'Two folders, input and target, with pictures of the same names; or pictures and a metadata.csv with the columns input and target; or arrays x and y (.npz, .npy, .safetensors).',
  entries: {
    loss: v.optional(oneOf(['mse', 'l1', 'huber'])),
    delta: v.optional(real('a positive number', (x) => x > 0)),
    ...pictureEntries,
    normalise: v.optional(oneOf(['auto', 'half', 'none'])),
    output: v.optional(text(500)),
  },
  defaults: { ...pairsDefaults },
  fields: [
    choiceField(
      'loss',
      'Loss',
      {
        l1: 'Mean absolute error',
        mse: 'Mean squared error',
        huber: 'Huber',
      },
      'Compares the model’s output as it is.',
    ),
    numberField('delta', 'Huber’s delta', { min: 0, step: 0.1 }),
    textField('output', 'Output', 'Of models that give several. Empty: the first that fits.'),
    ...pictureFields('the first picture’s', [
      choiceField('normalise', 'Colours as numbers', {
        auto: 'As the model’s files say, else from 0 to 1',
        half: 'From −1 to 1',
        none: 'From 0 to 1',
      }),
    ]),
  ],
  shows: 'pictures',
  asks: ['pictures', 'arrays'],
  prompts: false,
  usual: { train: { steps: 200, batch: 4 } },
  examples: [
    {
      id: 'sepia',
      title: 'Sepia prints',
      words: 'A model that makes pictures grey learns to make them brown, as old prints are.',
      job: exampleJob('sepia'),
    },
    {
      id: 'moonlight',
      title: 'By moonlight',
      words: 'A model that makes pictures grey learns to make them dark and blue, as by night.',
      job: exampleJob('moonlight'),
    },
  ],
};
