/** @file What the page and job files know of the generic task. */
import * as v from 'valibot';
import { choiceField, numberField, textField } from '#src/tasks/formFields.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import { oneOf, real, text } from '#src/tasks/optionSchema.ts';

export interface GenericOptions {
  /** model: the model's own scalar output, which weighs a batch by the examples in it. */
  readonly loss: 'mse' | 'l1' | 'huber' | 'cross_entropy' | 'bce' | 'cosine' | 'model';
  /** Output that the loss is taken of; '': the first of floats (model: the first of one number). */
  readonly output: string;
  /** Array that the output is compared with; '': target, y or labels, or the only one that is no input. */
  readonly target: string;
  /** sequential: rows and batches in their order, again from the start at the end. */
  readonly order: 'sequential' | 'shuffled';
  /** Where Huber's loss turns from square to straight. */
  readonly delta: number;
}

export const genericDefaults: GenericOptions = {
  loss: 'mse',
  output: '',
  target: '',
  order: 'sequential',
  delta: 1,
};

const losses = ['mse', 'l1', 'huber', 'cross_entropy', 'bce', 'cosine', 'model'] as const;

/** What is measured fits both examples. @param data built-in set */
const exampleJob = (data: string): Example['job'] => ({
  task: 'generic',
  model: 'builtin:waves',
  data: { train: `builtin:${data}/train`, heldout: `builtin:${data}/heldout` },
  train: { steps: 200, batch: 32, learning_rate: 0.003, schedule: 'cosine' },
  plan: { blocks: { size: 16, fit: 'nearest' } },
  sample: { every: 50 },
  options: { loss: 'mse', order: 'shuffled' },
});

export const info: TaskInfo = {
  id: 'generic',
  rank: 6,
  title: 'Arrays',
  summary: 'Trains any model on arrays of numbers that you made yourself.',
  wants:
    'Arrays named like the model’s inputs, and a target: .safetensors, .npz or .npy files. The first axis counts examples, or batches where an array has an axis more than its input. Files batch_0000, batch_0001 … are one batch each.',
  entries: {
    loss: v.optional(oneOf(losses)),
    output: v.optional(text(500)),
    target: v.optional(text(500)),
    order: v.optional(oneOf(['sequential', 'shuffled'])),
    delta: v.optional(real('a positive number', (x) => x > 0)),
  },
  defaults: { ...genericDefaults },
  fields: [
    choiceField(
      'loss',
      'Loss',
      {
        mse: 'Mean squared error',
        l1: 'Mean absolute error',
        huber: 'Huber',
        cross_entropy: 'Cross-entropy of classes',
        bce: 'Cross-entropy of yes and no',
        cosine: 'Angle between rows',
        model: 'The model’s own output',
      },
      'Both cross-entropies take scores before a softmax or a sigmoid: one that ends the model is left out in training, and what cannot be left out is taken as probabilities. The others compare the output as it is. The model’s own output is one number for a batch: several batches in a step count by their examples, whatever it leaves out or weighs.',
    ),
    textField('target', 'Target array', 'Empty: target, y or labels.'),
    textField('output', 'Output', 'Empty: the model’s first.'),
    choiceField('order', 'Order', {
      sequential: 'As in the files, exactly',
      shuffled: 'Shuffled by the seed',
    }),
    numberField('delta', 'Huber’s delta', { min: 0, step: 0.1 }),
  ],
  shows: 'texts',
  asks: ['arrays'],
  prompts: false,
  usual: { train: { steps: 200, batch: 8 } },
  examples: [
    {
      id: 'turned-waves',
      title: 'Waves, turned',
      words: 'A net that knows two waves learns them turned by 40 degrees.',
      job: exampleJob('turned-waves'),
    },
    {
      id: 'waves-aside',
      title: 'Waves from aside',
      words: 'A net that knows two waves learns to take them from inputs that are turned by 35 degrees.',
      job: exampleJob('waves-aside'),
    },
  ],
};
