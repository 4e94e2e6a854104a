/** @file What a run came to, in a sentence that its measure bears out: how it ended, and what data that it never saw say of it. */
import type { Evaluation, RunResult } from '#workers/protocol.ts';
import { measureOf, measureText } from '../run/series.ts';
import { figure, percent } from '../words/format.ts';
import { capital, noBefore } from '../words/taskWords.ts';

export interface Ended {
  readonly outcome: RunResult['outcome'];
  /** Updates made, and those that were wanted. */
  readonly step: number;
  readonly total: number;
  /** The untouched model does not know the classes: what it was judged by at first says nothing. */
  readonly newClasses?: boolean;
  readonly evaluations: readonly Pick<Evaluation, 'step' | 'heldoutLoss' | 'metrics'>[];
}

export interface Headline {
  readonly title: string;
  /** What else the measures say, in sentences; '': nothing. */
  readonly note: string;
}

/** Fewer steps say nothing. */
const FEW = 5;
/** Changes of the loss below this share are none. */
const NONE = 0.005;

const steps = (n: number): string => `${n} step${n === 1 ? '' : 's'}`;

/** What became of the held-out loss; null: it was not judged before and after. */
function heldoutWords(evaluations: Ended['evaluations']): string | null {
  const known = evaluations.filter(({ heldoutLoss }) => heldoutLoss !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || first.step === last.step) return null;
  const [from, to] = [first.heldoutLoss!, last.heldoutLoss!];
  if (!Number.isFinite(to)) return 'It has not learned: the held-out loss is no number any more';
  // A loss of the model's own may be below zero, where shares mean nothing.
  if (from <= 0) return `Held-out loss went from ${figure(from)} to ${figure(to)}`;
  const change = (to - from) / from;
  if (Math.abs(change) < NONE) return 'It has hardly changed: held-out loss is what it was';
  return change < 0
    ? `Held-out loss fell by ${percent(-change)}`
    : `It has not learned: held-out loss rose by ${percent(change)}`;
}

/** "Accuracy went from 50 % to 94 %." for the first measure that has a better way. */
function measureWords(evaluations: Ended['evaluations']): string {
  const measure = measureOf(evaluations);
  const [from, to] = [measure?.points[0], measure?.points.at(-1)];
  if (!measure || !from || !to || from.step === to.step) return '';
  const { name, unit } = measure;
  const words = capital(name);
  const [before, after] = [measureText(unit, from.value), measureText(unit, to.value)];
  return before === after ? `${words} stayed at ${after}.` : `${words} went from ${before} to ${after}.`;
}

/** "Accuracy is 94 %": the first measure that has a better way, or the loss; null: it was not judged after training. */
function newClassesWords(evaluations: Ended['evaluations']): string | null {
  const measure = measureOf(evaluations);
  const point = measure?.points.findLast(({ step }) => step > 0);
  if (measure && point) return `${capital(measure.name)} is ${measureText(measure.unit, point.value)}`;
  const loss = evaluations.findLast(({ step, heldoutLoss }) => step > 0 && heldoutLoss !== null)?.heldoutLoss;
  return loss == null ? null : `Held-out loss is ${figure(loss)}`;
}

const sentences = (...parts: readonly (string | null)[]): string =>
  parts.flatMap((part) => (part ? [part.endsWith('.') ? part : `${part}.`] : [])).join(' ');

export function headlineOf({ outcome, step, total, evaluations, newClasses = false }: Ended): Headline {
  const heldout = newClasses ? newClassesWords(evaluations) : heldoutWords(evaluations);
  const measure = newClasses ? heldout && noBefore : measureWords(evaluations);
  const judged = evaluations.some(({ heldoutLoss }) => heldoutLoss !== null);
  const unknown = judged
    ? 'Held-out data were judged once, so that nothing says what changed'
    : 'No held-out data say how well it does';
  const nothing = heldout === null && !measure ? unknown : null;
  if (outcome !== 'finished' && step < total)
    return { title: `Stopped at step ${step} of ${total}`, note: sentences(heldout, measure, nothing) };
  if (step < FEW)
    return { title: `Trained ${steps(step)}: too few to tell`, note: sentences(heldout, measure) };
  if (heldout !== null) return { title: heldout, note: sentences(`After ${steps(step)}`, measure) };
  return { title: `Trained ${steps(step)}`, note: sentences(measure, nothing) };
}
