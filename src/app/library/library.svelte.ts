/** @file Runs that are saved in this browser. */
import type { RunSummary } from '#workers/protocol.ts';
import { lastRun } from '../worker/firstLook.ts';
import type { Trainer } from '../worker/client.ts';

export class Library {
  readonly #trainer: Pick<Trainer, 'runs' | 'discard'>;
  #unfinished = $state.raw<RunSummary | null>(null);

  constructor(trainer: Pick<Trainer, 'runs' | 'discard'>) {
    this.#trainer = trainer;
  }

  get unfinished() {
    return this.#unfinished;
  }

  /** Asks again what is saved. */
  async refresh(): Promise<void> {
    const last = await lastRun(this.#trainer).catch(() => null);
    this.#unfinished = last && !last.finished ? last : null;
  }

  async discard(id: string): Promise<void> {
    await this.#trainer.discard(id).catch(() => undefined);
    this.#unfinished = null;
  }
}
