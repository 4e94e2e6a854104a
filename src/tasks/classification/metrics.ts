/** @file What a classifier's scores come to: loss, accuracy, F1, the confusion table, the examples that it gets wrong. */
import type { Scale } from '#src/tasks/scores/scores.ts';
import type { JudgedExample, Metric, ReportTable } from '#src/tasks/types.ts';
import { byLabel } from './choose.ts';

/** Shares of the classes: softmax in float64. */
export function softmax(scores: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(scores);
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

/** −ln softmax(scores)[label], in float64; of log-probabilities, what they are there. */
export function negativeLog(scores: ArrayLike<number>, label: number, scale: Scale = 'logits'): number {
  if (scale === 'log-probabilities') return -scores[label]!;
  const values = Float64Array.from(scores);
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = values.reduce((a, x) => a + Math.exp(x - top), 0);
  return top + Math.log(sum) - values[label]!;
}

/** What the model said of one example. */
export interface Judgement {
  /** The image's path; the text, cut. */
  readonly path: string;
  readonly label: number;
  readonly got: number;
  /** Of `got`. */
  readonly share: number;
  readonly loss: number;
}

export function judge(
  path: string,
  label: number,
  scores: ArrayLike<number>,
  scale: Scale = 'logits',
): Judgement {
  const shares = softmax(scores);
  let got = 0;
  shares.forEach((s, i) => {
    if (s > shares[got]!) got = i;
  });
  return { path, label, got, share: shares[got]!, loss: negativeLog(scores, label, scale) };
}

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${Math.round(100 * share)} %` : '–';

/** Share of examples that are right; and the mean of that over the classes, where classes are uneven. */
export function accuracies(judgements: readonly Judgement[]): Metric[] {
  const right = (some: readonly Judgement[]): number =>
    some.filter((j) => j.got === j.label).length / Math.max(1, some.length);
  const byClass = byLabel(judgements);
  const sizes = [...byClass.values()].map((c) => c.length);
  const even = new Set(sizes).size <= 1;
  const metrics: Metric[] = [{ name: 'accuracy', value: right(judgements), unit: 'share', better: 'higher' }];
  if (!even)
    metrics.push({
      name: 'accuracy by class',
      value: [...byClass.values()].reduce((sum, c) => sum + right(c), 0) / byClass.size,
      unit: 'share',
      better: 'higher',
    });
  return metrics;
}

/**
 * F1 = 2·TP / (2·TP + FP + FN), the mean over the classes that are there or were said: scikit-learn's f1_score with average="macro".
 */
export function macroF1(judgements: readonly Judgement[]): Metric {
  const classes = new Map<number, { hits: number; misses: number }>();
  const of = (c: number): { hits: number; misses: number } => {
    const known = classes.get(c) ?? { hits: 0, misses: 0 };
    classes.set(c, known);
    return known;
  };
  for (const { label, got } of judgements)
    if (label === got) of(label).hits++;
    else for (const c of [label, got]) of(c).misses++;
  let sum = 0;
  for (const { hits, misses } of classes.values()) sum += (2 * hits) / (2 * hits + misses);
  return { name: 'F1', value: classes.size > 0 ? sum / classes.size : 0, unit: 'share', better: 'higher' };
}

/** Classes beyond which a confusion table lists pairs instead of a grid. */
const GRID = 12;
const ROWS = 20;

/** Rows: what it is; columns: what the model says. Of many classes the pairs that are mixed up most. @param noun "images" */
export function confusion(
  judgements: readonly Judgement[],
  names: readonly string[],
  noun: string,
): ReportTable {
  const used = [...new Set(judgements.flatMap((j) => [j.label, j.got]))].sort((a, b) => a - b);
  const name = (i: number): string => names[i] ?? `class ${i}`;
  const count = (label: number, got: number): number =>
    judgements.filter((j) => j.label === label && j.got === got).length;
  if (used.length <= GRID)
    return {
      title: 'Confusion',
      columns: ['is \\ says', ...used.map(name)],
      rows: used.map((label) => [name(label), ...used.map((got) => String(count(label, got)))]),
    };
  const pairs = new Map<string, { label: number; got: number; n: number }>();
  for (const { label, got } of judgements) {
    if (label === got) continue;
    const key = `${label} ${got}`;
    pairs.set(key, { label, got, n: (pairs.get(key)?.n ?? 0) + 1 });
  }
  return {
    title: 'Mixed up most',
    columns: ['is', 'says', noun],
    rows: [...pairs.values()]
      .sort((a, b) => b.n - a.n || a.label - b.label || a.got - b.got)
      .slice(0, ROWS)
      .map(({ label, got, n }) => [name(label), name(got), String(n)]),
  };
}

/** All of them, the wrong ones first, the surest of them before others. */
export function judgedExamples(
  judgements: readonly Judgement[],
  names: readonly string[],
): readonly JudgedExample[] {
  const name = (i: number): string => names[i] ?? `class ${i}`;
  const right = ({ got, label }: Judgement): number => Number(got === label);
  return [...judgements]
    .sort((a, b) => right(a) - right(b) || b.share - a.share)
    .map(({ path, label, got, share }) => ({ name: path, is: name(label), says: name(got), share }));
}

/** The examples that are judged wrong, the surest first. @param noun "image" */
export function mistakes(
  judgements: readonly Judgement[],
  names: readonly string[],
  noun: string,
): ReportTable {
  const wrong = judgements.filter((j) => j.got !== j.label).sort((a, b) => b.share - a.share);
  const name = (i: number): string => names[i] ?? `class ${i}`;
  return {
    title: wrong.length > ROWS ? `Wrong (${ROWS} of ${wrong.length})` : 'Wrong',
    columns: [noun, 'is', 'says', 'share'],
    rows: wrong.slice(0, ROWS).map((j) => [j.path, name(j.label), name(j.got), percent(j.share)]),
  };
}
