/** @file What the page and job files know of image classification. */
import * as v from 'valibot';
import { choiceField, numberField } from '#src/tasks/formFields.ts';
import {
  classDefaults,
  classEntries,
  classFields,
  type ClassOptions,
} from '#src/tasks/classification/options.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import {
  pictureDefaults,
  pictureEntries,
  pictureFields,
  type PictureOptions,
} from '#src/tasks/images/options.ts';
import { oneOf, real } from '#src/tasks/optionSchema.ts';

export interface ClassificationOptions extends ClassOptions, PictureOptions {
  /** Least share of the area that a random crop keeps; 1: no crop. */
  readonly crop: number;
  /** Brightness, contrast and saturation vary by up to this share. */
  readonly colour: number;
  readonly normalise: 'auto' | 'imagenet' | 'half' | 'none';
}

export const classificationDefaults: ClassificationOptions = {
  ...classDefaults,
  crop: 1,
  colour: 0,
  ...pictureDefaults,
  normalise: 'auto',
};

const share = real('a number from 0 to 1', (x) => x >= 0 && x <= 1);

/** What is measured fits both examples. @param data built-in set */
const exampleJob = (data: string): Example['job'] => ({
  task: 'image-classification',
  model: 'builtin:shapes',
  data: { train: `builtin:${data}/train`, heldout: `builtin:${data}/heldout`, flip: true },
  train: { steps: 80, batch: 8, learning_rate: 0.01, schedule: 'cosine' },
  sample: { every: 20 },
  options: { normalise: 'half' },
});

export const info: TaskInfo = {
  id: 'image-classification',
  rank: 2,
  title: 'Recognise images',
  summary: 'Teaches a model to tell your kinds of pictures apart.',
  wants:
    'A folder with one subfolder of pictures for each class, or pictures with a table (metadata.csv or .jsonl) that has the columns file_name and label.',
  entries: {
    ...classEntries,
    crop: v.optional(real('a number from 0.05 to 1', (x) => x >= 0.05 && x <= 1)),
    colour: v.optional(share),
    ...pictureEntries,
    normalise: v.optional(oneOf(['auto', 'imagenet', 'half', 'none'])),
  },
  defaults: { ...classificationDefaults },
  fields: [
    ...classFields('Every image counts alike'),
    numberField(
      'crop',
      'Random crop keeps at least',
      { min: 0.05, max: 1, step: 0.05 },
      'Share of the area. 1: the whole picture, always.',
    ),
    numberField(
      'colour',
      'Random colours',
      { min: 0, max: 1, step: 0.05 },
      'Brightness, contrast and saturation vary by up to this share. 0: not at all.',
    ),
    ...pictureFields('224', [
      choiceField('normalise', 'Colours as numbers', {
        auto: 'As the model’s files say, else ImageNet’s mean',
        imagenet: 'ImageNet’s mean and deviation',
        half: 'From −1 to 1',
        none: 'From 0 to 1',
      }),
    ]),
  ],
  shows: 'labels',
  asks: ['pictures'],
  prompts: false,
  usual: { train: { steps: 200, batch: 8 } },
  examples: [
    {
      id: 'new-shapes',
      title: 'Moons, rings and stars',
      words: 'A model that knows six other shapes learns to name three new ones.',
      job: exampleJob('new-shapes'),
    },
    {
      id: 'signs',
      title: 'Hearts, drops and bolts',
      words: 'A model that knows six other shapes learns to name signs.',
      job: exampleJob('signs'),
    },
  ],
};
