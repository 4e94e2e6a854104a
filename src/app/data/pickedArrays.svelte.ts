/** @file The arrays in the data that were picked, looked at once for each pick. */
import type { Source } from '#workers/protocol.ts';
import { arraysIn, type FoundArrays } from './arrayFiles.ts';

export class PickedArrays {
  #source: Source | null = null;
  #found = $state.raw<FoundArrays | null>(null);

  /** null: nothing was picked, it is not read yet, or holds no arrays. */
  get found() {
    return this.#found;
  }

  /** Looks into the headers of what was picked. */
  async look(source: Source | null): Promise<void> {
    if (this.#source === source) return;
    this.#source = source;
    this.#found = null;
    if (source?.kind !== 'files') return;
    const found = await arraysIn(source.files);
    if (this.#source === source) this.#found = found;
  }
}
