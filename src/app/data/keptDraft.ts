/** @file The job that is being made, kept over a reload of its tab: settings in the tab's own storage, files of the user's own beside those of runs. */
import { jobFromTable, jobToTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { randomId } from '#src/platform/id.ts';
import type { GivenStore, Kept } from '#src/store/given.ts';
import type { Picked } from '../worker/request.ts';

const KEY = 'rotune.draft';
const SETTLE_MS = 800;
/** A draft is asked for by its own tab, which is closed some day without a word. */
const LASTS_MS = 2 * 24 * 60 * 60 * 1000;

/** `draft-<when it was begun>-…`, so that old ones can be told. */
export const newDraftId = (now: number): string => `draft-${now}-${randomId()}`;

/** Whether an id of given files is that of a draft whose tab may still be there. */
export const isLivingDraft = (id: string, now: number): boolean => {
  const begun = /^draft-(\d+)-/.exec(id)?.[1];
  return begun !== undefined && now - Number(begun) < LASTS_MS;
};

/** The tab's own storage, or anything like it. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem'>;

/** null where the browser refuses it. */
export function tabStorage(): TabStorage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

export class KeptDraft {
  readonly #given: Pick<GivenStore, 'put' | 'get'>;
  readonly #tab: TabStorage | null;
  #id: string;
  #files: Picked | null = null;
  /** The files are there. */
  #written: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(given: Pick<GivenStore, 'put' | 'get'>, tab: TabStorage | null = tabStorage()) {
    this.#given = given;
    this.#tab = tab;
    this.#id = this.#read()?.id ?? newDraftId(Date.now());
  }

  /** Keeps it, once changes have settled. */
  save(job: Job, picked: Picked): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#write(job, picked), SETTLE_MS);
  }

  /** Keeps it at once. */
  async keep(job: Job, picked: Picked): Promise<void> {
    clearTimeout(this.#timer);
    await this.#write(job, picked);
  }

  /** What was kept of this tab's draft; null: nothing, or nothing that can be read. */
  async restore(): Promise<{
    readonly job: Job;
    readonly files: Partial<Picked>;
    /** Names of what was too large to be kept. */
    readonly missing: Kept['missing'];
  } | null> {
    const kept = this.#read();
    if (!kept) return null;
    try {
      const job = jobFromTable(kept.job);
      const { sources, missing } = await this.#given.get(kept.id);
      return { job, files: sources, missing };
    } catch {
      return null;
    }
  }

  async #write(job: Job, picked: Picked): Promise<void> {
    try {
      this.#tab?.setItem(KEY, JSON.stringify({ id: this.#id, job: jobToTable(job) }));
    } catch {
      // The tab's storage is full or refused: the draft lasts as long as the page.
      return;
    }
    if (picked !== this.#files) {
      this.#files = picked;
      this.#written = this.#given.put(this.#id, picked);
    }
    await this.#written;
  }

  #read(): { readonly id: string; readonly job: unknown } | null {
    try {
      const kept: unknown = JSON.parse(this.#tab?.getItem(KEY) ?? 'null');
      if (typeof kept !== 'object' || kept === null || !('id' in kept) || !('job' in kept)) return null;
      const { id, job } = kept;
      return typeof id === 'string' ? { id, job } : null;
    } catch {
      return null;
    }
  }
}
