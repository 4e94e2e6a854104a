/** @file A second run's loss under the present one's: which saved runs there are to choose from, and the chosen one's curve. */
import type { RunSummary } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';

export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
}

/** What is needed of a saved run for its curve. */
export type Curve = Pick<RunSummary, 'losses' | 'step'>;

/**
 * The points of a saved run's line of losses, which go from its first step to its last at even distances, up to step `end`; the line
 * is cut there between two points.
 */
export function curveOf({ losses, step }: Curve, end: number): CurvePoint[] {
  // Fewer points than a line may have: one for each step.
  const last = Math.max(losses.length, step) - 1;
  const at = (i: number): number => (losses.length > 1 ? (i * last) / (losses.length - 1) : 0);
  const points: CurvePoint[] = [];
  for (const [i, loss] of losses.entries()) {
    const here = at(i);
    if (here <= end) points.push({ step: here, loss });
    else {
      const before = losses[i - 1] ?? loss;
      const share = (end - at(i - 1)) / (here - at(i - 1));
      if (points.at(-1)?.step !== end) points.push({ step: end, loss: before + share * (loss - before) });
      break;
    }
  }
  return points;
}

export class ComparedRuns {
  readonly #trainer: Pick<Trainer, 'runs'>;
  #known = $state.raw<readonly RunSummary[]>([]);
  #id = $state('');

  constructor(trainer: Pick<Trainer, 'runs'>) {
    this.#trainer = trainer;
  }

  /** Runs with a curve, newest first, but for the one that is shown. */
  choices(shown: string): readonly RunSummary[] {
    return this.#known.filter(({ id, losses }) => id !== shown && losses.length > 1);
  }

  /** Of the chosen run; '': none. */
  get id(): string {
    return this.#id;
  }
  set id(id: string) {
    this.#id = id;
  }

  /** The chosen run, if it is there and not the one that is shown. */
  chosen(shown: string): RunSummary | null {
    return this.choices(shown).find(({ id }) => id === this.#id) ?? null;
  }

  /** Asks what is saved. Never throws. */
  async refresh(): Promise<void> {
    this.#known = await this.#trainer.runs().catch(() => []);
  }
}
