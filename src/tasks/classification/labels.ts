/** @file Labels of examples: the columns that hold them, their classes in order, and what is wrong with them. */
import { ofKind } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';

/** An example's file, or the place of its text ("reviews.csv, row 4"), with its label. */
export interface Labelled {
  readonly path: string;
  readonly label: string;
}

/** Usual names of the column that holds the label. */
export const labelColumns = [
  'label',
  'class',
  'labels',
  'category',
  'target',
  'class_name',
  'sentiment',
  'intent',
  'label_text',
  'y',
];

/** Characters of a label at most: a longer one is a text in the wrong column. */
export const LONGEST_LABEL = 200;

const natural = new Intl.Collator('en', { numeric: true });

/** Labels in their natural order: numbers by value. */
export const classesOf = (examples: readonly { readonly label: string }[]): string[] =>
  [...new Set(examples.map((i) => i.label))].sort((a, b) => natural.compare(a, b) || (a < b ? -1 : 1));

/**
 * What is wrong with the classes: only one, or one that is rare.
 * @param name of the data
 * @param noun "images", "texts"
 */
export function classProblems(
  examples: readonly { readonly label: string }[],
  name: string,
  noun: string,
): TaskProblem[] {
  const counts = new Map<string, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  const classes = classesOf(examples);
  if (classes.length === 0) return [];
  if (classes.length === 1)
    return [
      ofKind('one-class', {
        severity: 'error',
        item: name,
        message: `${name} has one class only, "${classes[0]!}": there is nothing to tell apart.`,
        cure: `Add ${noun} of at least one other class.`,
      }),
    ];
  const sorted = [...classes].sort((a, b) => counts.get(a)! - counts.get(b)!);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  if (counts.get(most)! < 5 * counts.get(least)!) return [];
  return [
    {
      severity: 'warning',
      item: least,
      message: `The classes are uneven: "${most}" has ${counts.get(most)!} ${noun}, "${least}" ${counts.get(least)!}.`,
      cure: `Add ${noun} of the rare class, or set the class weights to balanced.`,
      mend: { words: 'Let every class count alike', options: { classWeights: 'balanced' } },
    },
  ];
}

/** Classes that only the held-out examples have. */
export function strangeClasses(
  heldout: readonly { readonly label: string }[],
  known: ReadonlySet<string>,
  noun: string,
): TaskProblem[] {
  const strange = classesOf(heldout).filter((label) => !known.has(label));
  return strange.slice(0, 20).map((label) => ({
    severity: 'error',
    item: label,
    message: `The held-out ${noun} have a class "${label}" that the training ${noun} lack.`,
    cure: `Add training ${noun} of it, or take it out.`,
  }));
}
