/** @file Entries of a task's form, each in a line or two. */
import type { Field } from './info.ts';

type Of<Kind extends Field['kind']> = Extract<Field, { readonly kind: Kind }>;

/** @param choices labels by value, in the order of the form */
export const choiceField = (
  key: string,
  label: string,
  choices: Readonly<Record<string, string>>,
  help?: string,
): Of<'choice'> => ({
  kind: 'choice',
  key,
  label,
  ...(help !== undefined && { help }),
  choices: Object.entries(choices).map(([value, name]) => ({ value, label: name })),
});

export const numberField = (
  key: string,
  label: string,
  bounds: Pick<Of<'number'>, 'min' | 'max' | 'step'>,
  help?: string,
): Of<'number'> => ({ kind: 'number', key, label, ...(help !== undefined && { help }), ...bounds });

const plain =
  <Kind extends 'numbers' | 'flag' | 'text'>(kind: Kind) =>
  (key: string, label: string, help: string) => ({ kind, key, label, help });

export const numbersField = plain('numbers');
export const flagField = plain('flag');
export const textField = plain('text');
