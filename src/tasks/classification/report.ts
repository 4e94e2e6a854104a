/** @file What a classifier's task tells of its data and its judgements, whatever it classifies. */
import type { DataPreview, Metric, TaskEvaluation } from '#src/tasks/types.ts';
import type { HeadChoice } from './classes.ts';
import { confusion, judgedExamples, type Judgement, mistakes } from './metrics.ts';

/** Classes that are listed with their counts; beyond it one figure says how many more there are. */
const LISTED = 12;

/**
 * "3: cat 20, dog 18, owl 10", whose the last layer is, and what the loss takes.
 * @param scores what was found at the model's end
 */
export function classFacts(
  training: readonly { readonly label: number }[],
  choice: HeadChoice,
  scores: string,
): DataPreview['facts'] {
  const counts = new Map<number, number>();
  for (const { label } of training) counts.set(label, (counts.get(label) ?? 0) + 1);
  const classes = [...counts].sort(([a], [b]) => a - b);
  const listed = classes.slice(0, LISTED).map(([c, n]) => `${choice.names[c] ?? c} ${n}`);
  const more = classes.length > LISTED ? ` and ${classes.length - LISTED} more` : '';
  return [
    { label: 'Classes', value: `${classes.length}: ${listed.join(', ')}${more}` },
    { label: 'Last layer', value: `${choice.kind === 'new' ? 'new' : 'the model’s own'} (${choice.why})` },
    { label: 'The loss takes', value: scores },
  ];
}

/**
 * Mean loss, metrics, the confusion table, and what is wrong.
 * @param judgements of one example at least
 * @param noun "image", "text"
 */
export function classReport(
  judgements: readonly Judgement[],
  names: readonly string[],
  noun: string,
  metrics: readonly Metric[],
): TaskEvaluation {
  const tables = [confusion(judgements, names, `${noun}s`)];
  if (judgements.some((j) => j.got !== j.label)) tables.push(mistakes(judgements, names, noun));
  return {
    loss: judgements.reduce((sum, j) => sum + j.loss, 0) / judgements.length,
    metrics,
    tables,
    examples: judgedExamples(judgements, names),
  };
}
