/** @file How fast this device is with the built-in model, once a person asks. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind } from '#src/runtime/types.ts';
import type { PrepareProgress, Problem, Speed } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';
import { NOTHING, requestOf } from '../worker/request.ts';
import { remember } from './estimate.ts';
import { median } from './median.ts';

/** As people read it. */
export interface SpeedFigures {
  /** Milliseconds, the middle of several. */
  readonly forward: number;
  readonly step: number;
  /** Step ÷ forward, the middle of the ratios of neighbours in time. */
  readonly ratio: number;
  /** Smallest and largest. */
  readonly spread: { readonly forward: readonly [number, number]; readonly step: readonly [number, number] };
}

export function figuresOf({ forward, step }: Pick<Speed, 'forward' | 'step'>): SpeedFigures {
  const spread = (ms: readonly number[]): [number, number] => [Math.min(...ms), Math.max(...ms)];
  return {
    forward: median(forward.ms),
    step: median(step.ms),
    ratio: median(step.ms.map((ms, i) => ms / forward.ms[i]!)),
    spread: { forward: spread(forward.ms), step: spread(step.ms) },
  };
}

export class DeviceSpeed {
  readonly #trainer: Pick<Trainer, 'measure' | 'cancelPreparation'>;
  readonly #job: Job;
  #measuring = $state(false);
  #progress = $state.raw<PrepareProgress | null>(null);
  #speed = $state.raw<Speed | null>(null);
  #problem = $state.raw<Problem | null>(null);

  /** @param job of the built-in model */
  constructor(trainer: Pick<Trainer, 'measure' | 'cancelPreparation'>, job: Job) {
    this.#trainer = trainer;
    this.#job = job;
  }

  get measuring(): boolean {
    return this.#measuring;
  }
  get progress(): PrepareProgress | null {
    return this.#progress;
  }
  /** What was measured last. */
  get speed(): Speed | null {
    return this.#speed;
  }
  get problem(): Problem | null {
    return this.#problem;
  }

  /** Keeps what came of it for the estimates of the next jobs. */
  async measure(backend: BackendKind | 'auto'): Promise<void> {
    if (this.#measuring) return;
    const request = requestOf(this.#job, NOTHING, backend);
    if ('code' in request) {
      this.#problem = request;
      return;
    }
    this.#problem = null;
    this.#measuring = true;
    const outcome = await this.#trainer.measure(request, (progress) => (this.#progress = progress));
    this.#measuring = false;
    this.#progress = null;
    if (!outcome.ok) {
      if (outcome.problem.code !== 'cancelled') this.#problem = outcome.problem;
      return;
    }
    this.#speed = outcome.value;
    const { batch, step } = outcome.value;
    remember(outcome.value.backend.kind, median(step.ms) / 1000, batch);
  }

  async cancel(): Promise<void> {
    if (this.#measuring) await this.#trainer.cancelPreparation();
  }
}
