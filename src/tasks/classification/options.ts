/** @file Options that all classifiers share. */
import * as v from 'valibot';
import type { Field } from '#src/tasks/info.ts';
import { oneOf, real, text } from '#src/tasks/optionSchema.ts';

export interface ClassOptions {
  /** auto: a new last layer if the data's classes are not the model's own. */
  readonly head: 'auto' | 'keep' | 'new';
  readonly labelSmoothing: number;
  /** balanced: each class counts alike, whatever number of examples it has. */
  readonly classWeights: 'none' | 'balanced';
  /** Output with the scores, of models that give several; '': the first that looks like scores. */
  readonly output: string;
}

export const classDefaults: ClassOptions = {
  head: 'auto',
  labelSmoothing: 0,
  classWeights: 'none',
  output: '',
};

export const classEntries = {
  head: v.optional(oneOf(['auto', 'keep', 'new'])),
  label_smoothing: v.optional(real('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
  class_weights: v.optional(oneOf(['none', 'balanced'])),
  output: v.optional(text(500)),
};

/** @param alike "Every image counts alike" */
export const classFields = (alike: string): readonly Field[] => [
  {
    kind: 'choice',
    key: 'head',
    label: 'Last layer',
    help: 'A new last layer learns any classes from nothing. The model’s own knows its classes already. A Softmax or Sigmoid behind it is left out in training: the loss takes the scores before. Models that give embeddings get a new one on top.',
    choices: [
      { value: 'auto', label: 'New if the classes differ' },
      { value: 'keep', label: 'The model’s own' },
      { value: 'new', label: 'New' },
    ],
  },
  {
    kind: 'choice',
    key: 'classWeights',
    label: 'Weight of the classes',
    choices: [
      { value: 'none', label: alike },
      { value: 'balanced', label: 'Every class counts alike' },
    ],
  },
  { kind: 'number', key: 'labelSmoothing', label: 'Label smoothing', min: 0, max: 0.5, step: 0.05 },
  {
    kind: 'text',
    key: 'output',
    label: 'Output with the scores',
    help: 'Of models that give several. Empty: the first that looks like scores.',
  },
];
