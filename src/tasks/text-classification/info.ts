/** @file What the page and job files know of text classification. */
import * as v from 'valibot';
import { numberField, textField } from '#src/tasks/formFields.ts';
import {
  classDefaults,
  classEntries,
  classFields,
  type ClassOptions,
} from '#src/tasks/classification/options.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import { text, whole } from '#src/tasks/optionSchema.ts';

export interface TextClassOptions extends ClassOptions {
  /** Tokens that the model reads of a text; 0: as many as the longest has, the model takes and the memory holds. */
  readonly length: number;
  /** Columns of the text, of a second text, and of the label; '': found by the usual names. */
  readonly column: string;
  readonly pairColumn: string;
  readonly labelColumn: string;
}

export const textClassDefaults: TextClassOptions = {
  ...classDefaults,
  length: 0,
  column: '',
  pairColumn: '',
  labelColumn: '',
};

/** What is measured fits both examples. @param data built-in set */
const exampleJob = (data: string): Example['job'] => ({
  task: 'text-classification',
  model: 'builtin:topics',
  data: { train: `builtin:${data}/train`, heldout: `builtin:${data}/heldout` },
  train: { steps: 60, batch: 16, learning_rate: 0.01, schedule: 'cosine' },
  sample: { every: 20, prompts: [] },
});

export const info: TaskInfo = {
  id: 'text-classification',
  rank: 3,
  title: 'Sort texts',
  summary: 'Teaches a model to tell your kinds of texts apart.',
  wants:
    'A table (.csv, .tsv, .jsonl) with the columns text and label, or a folder of .txt files for each class. The model’s folder holds its tokenizer.json.',
  entries: {
    ...classEntries,
    length: v.optional(whole(0, 8192)),
    column: v.optional(text(200)),
    pair_column: v.optional(text(200)),
    label_column: v.optional(text(200)),
  },
  defaults: { ...textClassDefaults },
  fields: [
    ...classFields('Every text counts alike'),
    numberField(
      'length',
      'Tokens of a text',
      { min: 0, max: 8192, step: 8 },
      'Longer texts are cut. 0: as many as the longest has, as far as the model takes them and the memory holds them.',
    ),
    textField('column', 'Column of the text', 'Empty: found by the usual names.'),
    textField(
      'pairColumn',
      'Column of a second text',
      'For models that judge two texts together. Empty: found by the usual names.',
    ),
    textField('labelColumn', 'Column of the label', 'Empty: found by the usual names.'),
  ],
  shows: 'labels',
  asks: ['texts'],
  prompts: true,
  usual: { train: { steps: 200, batch: 8 } },
  examples: [
    {
      id: 'letters',
      title: 'Complaints, questions, thanks',
      words: 'A model that knows what letters are about learns what their writers want.',
      job: exampleJob('letters'),
    },
    {
      id: 'questions',
      title: 'Where, when, how much',
      words: 'A model that knows what letters are about learns what is asked in them.',
      job: exampleJob('questions'),
    },
  ],
};
