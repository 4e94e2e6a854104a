/** @file What a run is judged by: its samples, the held-out loss, and how orthogonal its rotations are. */
import type { Orthogonality } from '#src/training/types.ts';
import type { Adapted, Metric, TaskHost } from '#src/tasks/types.ts';
import type { Evaluation, Problem } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import type { SampleRow } from '../saved.ts';
import { held } from '../prepare/held.ts';
import type { Setup } from '../prepare/types.ts';
import type { StepState } from './step.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface Judged {
  readonly setup: Setup;
  readonly bench: Bench;
  readonly host: TaskHost;
  readonly watch: Stopwatch;
  /** Of the training step. */
  readonly state: StepState;
  readonly step: number;
  /** Newton–Schulz rounds in use. */
  readonly rounds: number;
  readonly withHeldout: boolean;
  readonly withSamples: boolean;
  /** Hears of the wall's row as soon as it is drawn: judging takes a while. */
  readonly show: (row: SampleRow) => void;
  /** Throwing from it ends the work. */
  readonly tell: (phase: 'sampling' | 'evaluating', done: number, total: number) => void;
}

/** Shows the wall's row, where it is asked for, and measures the state. */
export async function evaluate(judged: Judged): Promise<Evaluation> {
  const { setup, bench, host, watch, state, step, rounds, withHeldout, withSamples, show, tell } = judged;
  const { job, prepared, layout, layoutKey: key, external } = setup;
  const { theta } = state;
  const adapted: Adapted = {
    run: (slot, graph) =>
      bench.turned(
        { key, layout, theta, strength: 1 },
        slot,
        held(graph, job.train.quantise, layout),
        external,
      ),
  };
  const ofSamples: Metric[] = [];
  if (withSamples) {
    const { metrics = [], ...samples } = await watch.time('sample', () =>
      prepared.samples(adapted, host, (done, total) => tell('sampling', done, total)),
    );
    ofSamples.push(...metrics);
    show({ step, ...samples });
  }
  const { judgement, orthogonality } = await watch.time('evaluate', async () => ({
    judgement:
      withHeldout && prepared.counts.heldout > 0
        ? await prepared.evaluate(adapted, host, (done, total) => tell('evaluating', done, total))
        : null,
    orthogonality: await bench.orthogonality(key, layout, state, rounds),
  }));
  const metrics = [...(judgement?.metrics ?? []), ...ofSamples];
  return {
    step,
    heldoutLoss: judgement?.loss ?? null,
    saturation: metrics.find(({ name }) => name === 'saturation')?.value ?? null,
    metrics,
    ...(judgement?.tables && { tables: judgement.tables }),
    ...(judgement?.examples && { examples: judgement.examples }),
    orthogonality,
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
