/** @file What trains here: the device, and which one the user wants. */
import type { BackendKind, BackendReport } from '#src/runtime/types.ts';
import type { Problem } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';
import { toProblem } from '../worker/problems.ts';

export class Device {
  readonly #trainer: Pick<Trainer, 'device'>;
  #preference = $state<BackendKind | 'auto'>('auto');
  #backend = $state.raw<BackendReport | null>(null);
  #problem = $state.raw<Problem | null>(null);

  constructor(trainer: Pick<Trainer, 'device'>) {
    this.#trainer = trainer;
  }

  get preference() {
    return this.#preference;
  }
  /** null: not looked at yet. */
  get backend() {
    return this.#backend;
  }
  /** Why it could not be looked at. */
  get problem() {
    return this.#problem;
  }

  async look(): Promise<void> {
    this.#problem = null;
    try {
      this.#backend = await this.#trainer.device(this.#preference);
    } catch (cause) {
      this.#problem = toProblem(cause, { cure: 'Reload the page.' });
    }
  }

  /** What the worker trains on, now that it may have changed. */
  async lookAgain(): Promise<void> {
    this.#backend = await this.#trainer.device(this.#preference).catch(() => this.#backend);
  }

  prefer(backend: BackendKind | 'auto'): Promise<void> {
    this.#preference = backend;
    return this.look();
  }

  /** As the worker found it. */
  saw(backend: BackendReport): void {
    this.#backend = backend;
  }
}
