/** @file Trying the adapter with things of one's own: one question at a time, the newest alone, its answers kept by strength. */
import type { Problem, Said, Source } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';
import { AS_TRAINED, PAUSE_MS, UNTOUCHED } from './strengths.ts';

export interface Question {
  readonly given?: Source | null;
  readonly texts?: readonly string[];
}

export class Trying {
  readonly #trainer: Trainer;
  readonly #seed: number;
  /** The untouched model has something to say. */
  readonly #compares: boolean;
  #strength = $state(AS_TRAINED);
  #question = $state.raw<Question | null>(null);
  /** Answers to the question whose they are. */
  #answered = $state.raw<{ readonly to: Question; readonly said: ReadonlyMap<number, Said> } | null>(null);
  #busy = $state(false);
  #problem = $state.raw<Problem | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: Promise<void> | null = null;

  /** @param compares false: the untouched model does not know the classes, and is asked nothing */
  constructor(trainer: Trainer, seed = 0, compares = true) {
    this.#trainer = trainer;
    this.#seed = seed;
    this.#compares = compares;
  }

  get strength() {
    return this.#strength;
  }
  get busy() {
    return this.#busy;
  }
  get problem() {
    return this.#problem;
  }
  /** There is an answer, to this question or the one before. */
  get answered(): boolean {
    return (this.#answered?.said.size ?? 0) > 0;
  }
  /** What the untouched model says; null: it was not asked. */
  get before(): Said | null {
    return this.#answered?.said.get(UNTOUCHED) ?? null;
  }
  /** What it says at the strength; while that is asked, as it was last. null: the untouched model has nothing to say. */
  get after(): Said | null {
    if (!this.#asksAt(this.#strength)) return null;
    const said = this.#answered?.said;
    return said?.get(this.#strength) ?? [...(said?.values() ?? [])].at(-1) ?? null;
  }
  /** What is shown answers an earlier question or another strength. */
  get waiting(): boolean {
    return this.#question !== null && this.#wanted().length > 0;
  }

  /** Asks; what was asked before and has no answer yet is dropped. Resolves when nothing is asked any more. */
  ask(question: Question): Promise<void> {
    this.#question = question;
    this.#problem = null;
    return this.#go();
  }

  /** Other strengths of the same question. */
  set(strength: number): void {
    this.#strength = strength;
    clearTimeout(this.#timer);
    if (this.waiting) this.#timer = setTimeout(() => void this.#go(), PAUSE_MS);
  }

  #wanted(): number[] {
    const answered = this.#answered;
    const said = answered && answered.to === this.#question ? answered.said : null;
    const strengths = new Set([UNTOUCHED, this.#strength]);
    return [...strengths].filter((strength) => this.#asksAt(strength) && !said?.has(strength));
  }

  #asksAt(strength: number): boolean {
    return this.#compares || strength !== UNTOUCHED;
  }

  #go(): Promise<void> {
    this.#asking ??= this.#loop().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #loop(): Promise<void> {
    this.#busy = true;
    let strengths = this.#wanted();
    while (this.#question && strengths.length > 0) {
      const question = this.#question;
      const outcome = await this.#trainer.ask({ ...question, seed: this.#seed, strengths });
      if (outcome.ok) {
        const known = this.#answered?.to === question ? this.#answered.said : [];
        const said = outcome.value.map((each) => [each.strength, each] as const);
        this.#answered = { to: question, said: new Map([...known, ...said]) };
      } else if (question === this.#question) {
        this.#problem = outcome.problem;
        // The same would be refused again.
        this.#question = null;
        this.#answered = null;
      }
      strengths = this.#wanted();
    }
    this.#busy = false;
  }
}
