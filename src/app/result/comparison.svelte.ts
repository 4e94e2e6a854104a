/** @file The before-and-after view: one prompt and seed, drawn by the untouched model and by the tuned one at a chosen strength. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Picture, Problem, SampleRequest } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';

/** The slider sends many values a second: only the last one before a pause is drawn. */
const PAUSE_MS = 120;

export class Comparison {
  readonly #trainer: Trainer;
  #prompt = $state('');
  #seed = $state(0);
  #strength = $state(1);
  #before = $state.raw<Picture | null>(null);
  #after = $state.raw<Picture | null>(null);
  #busy = $state(false);
  #problem = $state.raw<Problem | null>(null);
  #settings: Job['sample'] | null = null;
  /** prompt and seed that `#before` was drawn from. */
  #beforeKey = '';
  #stale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  get prompt() {
    return this.#prompt;
  }
  get seed() {
    return this.#seed;
  }
  get strength() {
    return this.#strength;
  }
  get before() {
    return this.#before;
  }
  get after() {
    return this.#after;
  }
  /** Drawing: the pictures shown are of an earlier wish. */
  get busy() {
    return this.#busy;
  }
  get problem() {
    return this.#problem;
  }

  /** A fresh result: its first prompt, full strength, and the wall's pictures until own ones are drawn. */
  open(sample: Job['sample'], before: Picture | null, after: Picture | null): void {
    this.#settings = sample;
    this.#seed = sample.seed;
    this.#strength = 1;
    this.#beforeKey = '';
    this.choose(sample.prompts[0] ?? '', before, after);
  }

  /** Another prompt, with pictures that are at hand already, if any. */
  choose(prompt: string, before: Picture | null = null, after: Picture | null = null): void {
    this.#prompt = prompt;
    this.#before = before ?? this.#before;
    this.#after = after ?? this.#after;
    this.#wish();
  }

  set(wish: { readonly prompt?: string; readonly seed?: number; readonly strength?: number }): void {
    if (wish.prompt !== undefined) this.#prompt = wish.prompt;
    if (wish.seed !== undefined) this.#seed = wish.seed;
    if (wish.strength !== undefined) this.#strength = wish.strength;
    this.#wish();
  }

  #wish(): void {
    this.#stale = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#draw(), PAUSE_MS);
  }

  /** One request at a time; a wish made meanwhile is drawn after it. */
  async #draw(): Promise<void> {
    const settings = this.#settings;
    if (this.#busy || !settings) return;
    this.#busy = true;
    while (this.#stale) {
      this.#stale = false;
      this.#problem = null;
      const key = `${this.#seed} ${this.#prompt}`;
      const request: SampleRequest = {
        prompts: [this.#prompt],
        seed: this.#seed,
        steps: settings.steps,
        guidance: settings.guidance,
        strength: this.#strength,
      };
      if (key !== this.#beforeKey) {
        const before = await this.#trainer.sample({ ...request, strength: 0 });
        if (!before.ok) {
          this.#problem = before.problem;
          break;
        }
        this.#before = before.value.pictures[0] ?? null;
        this.#beforeKey = key;
      }
      const after = await this.#trainer.sample(request);
      if (!after.ok) {
        this.#problem = after.problem;
        break;
      }
      this.#after = after.value.pictures[0] ?? null;
    }
    this.#busy = false;
  }
}
