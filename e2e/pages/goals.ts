/** @file What each built-in example must come to on data that it never saw, headless and in the page. */
import { type Example, type TaskInfo } from '#src/tasks/info.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { depth } from './depth.ts';

interface Goal {
  /** As in run.json; null: the held-out loss alone is the measure. */
  readonly metric: string | null;
  readonly words: string;
  /** @param value of the metric: shares from 0 to 1 */
  readonly met: (value: number) => boolean;
  /** Held-out loss at the end over that at the start, at most. */
  readonly loss: number;
}

const atLeast = (metric: string, least: number): Omit<Goal, 'loss'> => ({
  metric,
  words: `${metric} of ${least} and more`,
  met: (value) => value >= least,
});
const below = (metric: string, most: number): Omit<Goal, 'loss'> => ({
  metric,
  words: `${metric} below ${most}`,
  met: (value) => value < most,
});

const loss = (most: number, words: string): Goal => ({ metric: null, words, met: () => true, loss: most });

/** By the example's id. */
export const goals: Readonly<Record<string, Goal>> = {
  // In all its 120 steps 0.0876 → 0.0538 (blueprint 0.1103 → 0.0428, high-contrast 0.3251 → 0.1604); here in 40.
  riso: loss(0.8, 'a fifth off the loss'),
  'new-shapes': { ...atLeast('accuracy', 0.8), loss: 0.5 },
  signs: { ...atLeast('accuracy', 0.8), loss: 0.5 },
  letters: { ...atLeast('accuracy', 0.9), loss: 0.5 },
  questions: { ...atLeast('accuracy', 0.9), loss: 0.5 },
  'pirate-stories': { ...below('perplexity', 12), loss: 0.8 },
  echoes: { ...below('perplexity', 4), loss: 0.5 },
  sepia: { ...atLeast('PSNR', 25), loss: 0.8 },
  moonlight: { ...atLeast('PSNR', 25), loss: 0.5 },
  'turned-waves': loss(0.8, 'a fifth off the loss'),
  'waves-aside': loss(0.5, 'half of the loss'),
};

/** The examples that run in seconds, with their tasks: each task's first, in a sweep all of them. The pictures' take minutes and have tests of their own. */
export const quickExamples: readonly {
  readonly info: TaskInfo;
  readonly example: Example;
  readonly first: boolean;
}[] = taskInfos
  .filter(({ id }) => id !== 'diffusion')
  .flatMap((info) =>
    info.examples.slice(0, depth(1, Infinity)).map((example, i) => ({ info, example, first: i === 0 })),
  );
