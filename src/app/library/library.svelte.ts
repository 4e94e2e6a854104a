/** @file Runs that are saved in this browser: their list, and what can be done with it. */
import { GivenStore, type Kept } from '#src/store/given.ts';
import type { Outcome, Problem, RunSummary, StorageReport } from '#workers/protocol.ts';
import { saveBlob } from '../page/save.ts';
import type { Voice } from '../page/voice.svelte.ts';
import { plural } from '../words/format.ts';
import { toProblem } from '../worker/problems.ts';
import type { Trainer } from '../worker/client.ts';

/** The files that a run was started from. */
export type GivenFiles = Pick<GivenStore, 'put' | 'get' | 'remove'>;

export interface LibraryHost {
  readonly trainer: Trainer;
  readonly voice: Voice;
  /** The run that goes on in this tab; '': none. */
  readonly running: () => string;
}

export class Library {
  readonly given: GivenFiles;
  readonly #host: LibraryHost;
  #runs = $state.raw<readonly RunSummary[] | null>(null);
  #removed = $state.raw<RunSummary | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #unread = $state.raw<Problem | null>(null);
  #busy = $state<'no' | 'exporting' | 'importing'>('no');
  #storage = $state.raw<StorageReport | null>(null);
  /** The newest question of what is saved. */
  #asking: Promise<void> | null = null;

  readonly #unfinished = $derived(
    (this.#runs ?? []).find(({ finished, checkpoints }) => !finished && checkpoints > 0) ?? null,
  );

  constructor(host: LibraryHost, given: GivenFiles = new GivenStore()) {
    this.#host = host;
    this.given = given;
  }

  /** All that began here, newest first; null: not asked for yet. */
  get runs() {
    return this.#runs;
  }
  /** The newest run that can go on. */
  get unfinished(): RunSummary | null {
    return this.#unfinished;
  }
  /** What was taken from the list last, and can be put back. */
  get removed() {
    return this.#removed;
  }
  /** Why the last wish could not be met. */
  get problem() {
    return this.#problem ?? this.#unread;
  }
  /** Why it is not known what is saved. */
  get unread() {
    return this.#unread;
  }
  get busy() {
    return this.#busy;
  }
  /** What is kept, by kind; null: not asked for yet. */
  get storage() {
    return this.#storage;
  }

  /** As the list has it; null: it is not there, or the list was not asked for yet. */
  find(id: string): RunSummary | null {
    return this.#runs?.find((run) => run.id === id) ?? null;
  }

  /** Whether it goes on at this moment, in this tab. */
  isLive({ id }: RunSummary): boolean {
    return id === this.#host.running();
  }

  /** Asks again what is saved. Whoever waits for it has the newest list, even if it was asked for again meanwhile. */
  refresh(): Promise<void> {
    const ask = async (): Promise<void> => {
      let runs = this.#runs ?? [];
      let unread: Problem | null = null;
      try {
        runs = await this.#host.trainer.runs();
      } catch (cause) {
        unread = toProblem(cause, {
          code: 'storage',
          safe: 'Your runs cannot be listed; they are not lost by it.',
        });
      }
      if (asking !== this.#asking) return this.#asking ?? undefined;
      this.#runs = runs;
      this.#unread = unread;
    };
    const asking = ask();
    this.#asking = asking;
    return asking;
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#change(this.#host.trainer.renameRun(id, name));
  }

  /** Takes a run from the list; `restore` puts it back. */
  async remove(run: RunSummary): Promise<void> {
    if (!(await this.#change(this.#host.trainer.removeRun(run.id)))) return;
    this.#removed = run;
    this.#host.voice.say(`Removed: ${run.name}.`);
  }

  async restore(): Promise<void> {
    const run = this.#removed;
    this.#removed = null;
    if (run && (await this.#change(this.#host.trainer.restoreRun(run.id))))
      this.#host.voice.say(`Put back: ${run.name}.`);
  }

  /** The offer to put back what was removed is over. */
  forgetRemoved(): void {
    this.#removed = null;
  }

  /** Removes a run for good. */
  async discard(id: string): Promise<void> {
    await this.#host.trainer.discard(id).catch(() => undefined);
    await this.refresh();
  }

  /** Saves runs as one archive. */
  async export(ids: readonly string[]): Promise<void> {
    const outcome = await this.#work('exporting', this.#host.trainer.exportRuns(ids));
    if (!outcome.ok) return;
    const { name, blob, left } = outcome.value;
    saveBlob(name, blob);
    this.#host.voice.say(`Saved: ${plural(ids.length - left.length, 'run')}.`);
    const [first] = left;
    if (first)
      this.#problem = {
        code: 'storage',
        message: `${plural(left.length, 'run')} could not be read and ${left.length === 1 ? 'is' : 'are'} not in the archive: ${left.map((run) => run.name).join(', ')}.`,
        cure: 'Open the run and save its adapter by itself, or delete it.',
        detail: first.reason,
      };
  }

  /** Takes in the runs of an archive, all or none of them. */
  async import(archive: File): Promise<void> {
    const outcome = await this.#work('importing', this.#host.trainer.importRuns(archive));
    if (!outcome.ok) {
      const { problem } = outcome;
      this.#problem = { ...problem, message: `${archive.name}: ${problem.message}`, item: archive.name };
      return;
    }
    const { imported, skipped } = outcome.value;
    const known =
      skipped > 0 ? ` ${plural(skipped, 'run')} of it ${skipped === 1 ? 'was' : 'were'} here already.` : '';
    this.#host.voice.say(`Opened: ${plural(imported.length, 'run')}.${known}`);
    await this.refresh();
  }

  /** Asks again how much is kept. */
  async measure(): Promise<void> {
    this.#storage = await this.#host.trainer.storage().catch(() => this.#storage);
  }

  async freeCheckpoints(): Promise<void> {
    await this.#change(this.#host.trainer.freeCheckpoints());
    await this.measure();
  }

  /**
   * Drops what can be done without: checkpoints that were only to be gone back to, and data that can be made ready again.
   * @param data whether nothing is made of those now
   */
  async makeRoom(data: boolean): Promise<void> {
    await this.freeCheckpoints();
    if (this.#problem === null && data) await this.removePrepared();
  }

  /** Removes all models that were downloaded. */
  async removeModels(): Promise<void> {
    const { trainer } = this.#host;
    await this.#removeAll(trainer.downloads(), ({ url }) => trainer.removeDownload(url));
  }

  /** Removes all data that were made ready. */
  async removePrepared(): Promise<void> {
    const { trainer } = this.#host;
    await this.#removeAll(trainer.keptData(), ({ name }) => trainer.removeKept(name));
  }

  /** What a run was started from, as far as it is kept here; names of what is not. */
  filesOf({ id }: RunSummary): Promise<Kept> {
    return this.given.get(id);
  }

  /** One after the other, to the first that cannot be removed: why is said. */
  async #removeAll<T>(
    asked: Promise<Outcome<readonly T[]>>,
    remove: (each: T) => Promise<Outcome<null>>,
  ): Promise<void> {
    this.#problem = null;
    const known = await asked;
    if (known.ok)
      for (const each of known.value) {
        const removed = await remove(each);
        if (removed.ok) continue;
        this.#problem = removed.problem;
        break;
      }
    else this.#problem = known.problem;
    await this.measure();
  }

  async #change(asked: Promise<Outcome<unknown>>): Promise<boolean> {
    this.#problem = null;
    const outcome = await asked.catch((cause: unknown) => ({
      ok: false as const,
      problem: toProblem(cause, { code: 'storage' }),
    }));
    if (!outcome.ok) this.#problem = outcome.problem;
    await this.refresh();
    return outcome.ok;
  }

  async #work<T>(what: 'exporting' | 'importing', asked: Promise<Outcome<T>>): Promise<Outcome<T>> {
    this.#busy = what;
    this.#problem = null;
    const outcome = await asked;
    this.#busy = 'no';
    if (!outcome.ok) this.#problem = outcome.problem;
    return outcome;
  }
}
