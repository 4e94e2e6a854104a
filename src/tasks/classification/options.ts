/** @file Options that all classifiers share. */
import * as v from 'valibot';
import { choiceField, numberField, textField } from '#src/tasks/formFields.ts';
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
  /** Names of the model's own classes in its order, with ";" between; '': as its files say. */
  readonly classNames: string;
}

export const classDefaults: ClassOptions = {
  head: 'auto',
  labelSmoothing: 0,
  classWeights: 'none',
  output: '',
  classNames: '',
};

export const classEntries = {
  head: v.optional(oneOf(['auto', 'keep', 'new'])),
  label_smoothing: v.optional(real('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
  class_weights: v.optional(oneOf(['none', 'balanced'])),
  output: v.optional(text(500)),
  class_names: v.optional(text(20_000)),
};

/** @param alike "Every image counts alike" */
export const classFields = (alike: string): readonly Field[] => [
  choiceField(
    'head',
    'Last layer',
    {
      auto: 'New if the classes differ',
      keep: 'The model’s own',
      new: 'New',
    },
    'A new last layer learns any classes from nothing. The model’s own knows its classes already. A Softmax or Sigmoid behind it is left out in training: the loss takes the scores before. Models that give embeddings get a new one on top.',
  ),
  choiceField('classWeights', 'Weight of the classes', {
    none: alike,
    balanced: 'Every class counts alike',
  }),
  numberField('labelSmoothing', 'Label smoothing', { min: 0, max: 0.5, step: 0.05 }),
  textField(
    'output',
    'Output with the scores',
    'Of models that give several. Empty: the first that looks like scores.',
  ),
  textField(
    'classNames',
    'Classes of the model’s own last layer',
    'In its order, with “;” between. Empty: as its files say.',
  ),
];
