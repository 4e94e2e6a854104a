/** @file A talk with the tuned model and the untouched one: message by message, each answered by both. */
import type { Problem } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';
import { AS_TRAINED, UNTOUCHED } from './strengths.ts';

export interface Exchange {
  readonly asked: string;
  readonly before: string;
  /** null: it has not answered yet. */
  readonly after: string | null;
}

export class Chatting {
  readonly #trainer: Pick<Trainer, 'ask'>;
  readonly #seed: number;
  #exchanges = $state.raw<readonly Exchange[]>([]);
  #problem = $state.raw<Problem | null>(null);
  #busy = $state(false);

  constructor(trainer: Pick<Trainer, 'ask'>, seed = 0) {
    this.#trainer = trainer;
    this.#seed = seed;
  }

  get exchanges() {
    return this.#exchanges;
  }
  get problem() {
    return this.#problem;
  }
  get busy(): boolean {
    return this.#busy;
  }

  /** Says something; while an answer is awaited, nothing. */
  async say(asked: string): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#problem = null;
    const earlier = this.#exchanges;
    this.#exchanges = [...earlier, { asked, before: '', after: null }];
    const outcome = await this.#trainer.ask({
      texts: [asked],
      seed: this.#seed,
      strengths: [UNTOUCHED, AS_TRAINED],
    });
    if (outcome.ok) {
      const [before, after] = outcome.value.map(({ items }) => (items[0]?.text ?? '').trim());
      this.#exchanges = [...earlier, { asked, before: before ?? '', after: after ?? '' }];
    } else {
      this.#exchanges = earlier;
      this.#problem = outcome.problem;
    }
    this.#busy = false;
  }
}
