/** @file The arrays that the present model is taught by, asked of the inspector once for each model. */
import type { InspectedModel } from '#workers/inspection/types.ts';
import type { Source } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';
import { type Wanted, wantedArrays } from './arrayTemplate.ts';

export class WantedArrays {
  readonly #trainer: Pick<Trainer, 'inspect'>;
  #source: Source | null = null;
  #model = $state.raw<InspectedModel | null>(null);

  constructor(trainer: Pick<Trainer, 'inspect'>) {
    this.#trainer = trainer;
  }

  /** Looks at a model; the one it knows is not asked about again. */
  async look(source: Source | null): Promise<void> {
    if (this.#source === source) return;
    this.#source = source;
    this.#model = null;
    if (!source) return;
    const outcome = await this.#trainer.inspect(source);
    if (this.#source !== source || !outcome.ok) return;
    const { models, first } = outcome.value;
    const model = models.find(({ path }) => path === first);
    this.#model = model?.kind === 'model' ? model : null;
  }

  /** null: the model is not read yet, or cannot be. @param given inputs whose values the job says: no array is wanted for them */
  of(options: Readonly<Record<string, unknown>>, given: readonly string[] = []): Wanted | null {
    if (!this.#model) return null;
    const { inputs, outputs } = this.#model;
    return wantedArrays({ inputs: inputs.filter(({ name }) => !given.includes(name)), outputs }, options);
  }
}
