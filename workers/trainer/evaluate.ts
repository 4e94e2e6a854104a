/** @file What a run is judged by: its samples, the held-out loss, and how orthogonal its rotations are. */
import type { Orthogonality } from '#src/training/types.ts';
import type { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import type { Evaluation, Problem } from '../protocol.ts';
import type { Bench } from './bench.ts';
import { draw, judge, rowsFor } from './samples.ts';
import type { SampleRow } from './saved.ts';
import type { Setup } from './setup.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface Judged {
  readonly setup: Setup;
  readonly bench: Bench;
  readonly embeddings: CaptionEmbeddings;
  readonly watch: Stopwatch;
  readonly theta: Float32Array;
  readonly step: number;
  /** Newton–Schulz rounds in use. */
  readonly rounds: number;
  readonly withHeldout: boolean;
  /** Throwing from it ends the work. */
  readonly tell: (phase: 'sampling' | 'evaluating', done: number, total: number) => void;
}

/** Draws the job's samples and measures the present state. */
export async function evaluate(judged: Judged): Promise<{ row: SampleRow; evaluation: Evaluation }> {
  const { setup, bench, embeddings, watch, theta, step, rounds, withHeldout, tell } = judged;
  const { job, model, layout } = setup;
  const { scheduler } = model.folder;
  const adapted = { key: setup.layoutKey, layout, theta, strength: 1 };
  const drawn = await watch.time('sample', async () => {
    const forward = await bench.forward(model, adapted, rowsFor(job.sample));
    return draw(forward, scheduler, embeddings, job.sample, (done, total) => tell('sampling', done, total));
  });
  const images = withHeldout ? (setup.heldout?.images ?? []) : [];
  const { heldoutLoss, orthogonality } = await watch.time('evaluate', async () => ({
    heldoutLoss:
      images.length === 0
        ? null
        : await judge(await bench.forward(model, adapted, 8), scheduler, embeddings, images, (done, total) =>
            tell('evaluating', done, total),
          ),
    orthogonality: await bench.orthogonality(setup.layoutKey, layout, theta, rounds),
  }));
  return {
    row: { step, prompts: job.sample.prompts, pictures: drawn.pictures },
    evaluation: { step, heldoutLoss, saturation: drawn.saturation, orthogonality },
  };
}

/** Rotations are called orthogonal up to this |CᵀC − I|. */
export const ORTHOGONAL = 1e-5;

const shown = (x: number): string => x.toExponential(1);

/** Why the rotations are not orthogonal; null: they are. */
export function notOrthogonal({ exact, series }: Orthogonality, step: number): Problem | null {
  const when = step === 0 ? 'at the start' : `after ${step} ${step === 1 ? 'step' : 'steps'}`;
  if (exact !== null && !(exact <= ORTHOGONAL))
    return {
      code: 'not-orthogonal',
      message: `Some rotations are orthogonal to ${shown(exact)} only ${when}: their blocks have turned so far, close to 180°, that single precision no longer resolves the inverse.`,
      cure: 'Lower the learning rate, use smaller blocks, or set a constraint.',
    };
  if (series !== null && !(series <= ORTHOGONAL))
    return {
      code: 'not-orthogonal',
      message: `Layers by the Cayley–Neumann series are orthogonal to ${shown(series)} only ${when}: the series is cut off, which is exact for small rotations alone.`,
      cure: 'That is how PEFT trains by default. For true rotations choose cayley = "exact".',
    };
  return null;
}
