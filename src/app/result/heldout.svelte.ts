/** @file Held-out examples of a classifier, a page of them at a time, and their pictures, which are asked for as they are shown. */
import { SvelteMap } from 'svelte/reactivity';
import type { JudgedExample, Picture, Source } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';

/** Examples that are shown more at a time. */
export const PAGE = 24;

export class Heldout {
  readonly #trainer: Pick<Trainer, 'pictures'>;
  readonly #source: Source | null;
  readonly #examples: readonly JudgedExample[];
  readonly #pictures = new SvelteMap<string, Picture | null>();
  #end = $state(0);

  /** @param source where their pictures are; null: they have none, or the files are not at hand */
  constructor(trainer: Pick<Trainer, 'pictures'>, examples: readonly JudgedExample[], source: Source | null) {
    this.#trainer = trainer;
    this.#examples = examples;
    this.#source = source;
  }

  get shown(): readonly JudgedExample[] {
    return this.#examples.slice(0, this.#end);
  }
  /** How many are not shown yet. */
  get left(): number {
    return this.#examples.length - this.shown.length;
  }
  get wrong(): number {
    return this.#examples.filter(({ is, says }) => is !== says).length;
  }

  /** undefined: it is not here yet; null: it has none. */
  pictureOf(name: string): Picture | null | undefined {
    return this.#pictures.get(name);
  }

  /** Shows so many more, and fetches their pictures. Resolves when those are there. */
  async more(many = PAGE): Promise<void> {
    const from = this.#end;
    this.#end = Math.min(from + many, this.#examples.length);
    if (!this.#source) return;
    const names = this.#examples.slice(from, this.#end).map(({ name }) => name);
    for (let i = 0; i < names.length; i += PAGE) {
      const paths = names.slice(i, i + PAGE);
      const made = await this.#trainer.pictures({ source: this.#source, paths });
      // The names say what is meant without pictures, too.
      paths.forEach((path, k) => this.#pictures.set(path, made.ok ? (made.value[k] ?? null) : null));
    }
  }
}
