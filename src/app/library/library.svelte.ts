/** @file Runs that are saved in this browser. */
import type { RunSummary } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';

export class Library {
  readonly #trainer: Pick<Trainer, 'lastRun' | 'discard'>;
  #unfinished = $state.raw<RunSummary | null>(null);

  constructor(trainer: Pick<Trainer, 'lastRun' | 'discard'>) {
    this.#trainer = trainer;
  }

  get unfinished() {
    return this.#unfinished;
  }

  /** Asks again what is saved. */
  async refresh(): Promise<void> {
    const last = await this.#trainer.lastRun().catch(() => null);
    this.#unfinished = last && !last.finished ? last : null;
  }

  async discard(id: string): Promise<void> {
    await this.#trainer.discard(id).catch(() => undefined);
    this.#unfinished = null;
  }
}
