/** @file The model that is looked into, kept over a reload of its tab: files beside those of runs, a downloaded or built-in one by its address. */
import * as v from 'valibot';
import type { GivenStore } from '#src/store/given.ts';
import type { Source } from '#workers/protocol.ts';
import { newDraftId, type TabStorage, tabStorage } from '../data/keptDraft.ts';

const KEY = 'rotune.model';

const keptSchema = v.object({
  /** Of the files. */
  id: v.string(),
  /** What people call it. */
  name: v.string(),
  /** Where it was downloaded from; '': nowhere. */
  url: v.string(),
  /** Of a built-in one; '': it is none. */
  builtin: v.string(),
});
type Kept = v.InferOutput<typeof keptSchema>;

/** `url`: it is opened again from there; `lost`: it must be picked again, by that name. */
export type RestoredModel =
  { readonly source: Source } | { readonly url: string; readonly name: string } | { readonly lost: string };

export class KeptModel {
  readonly #given: Pick<GivenStore, 'put' | 'get'>;
  readonly #tab: TabStorage | null;
  readonly #id: string;

  constructor(given: Pick<GivenStore, 'put' | 'get'>, tab: TabStorage | null = tabStorage()) {
    this.#given = given;
    this.#tab = tab;
    this.#id = this.#read()?.id ?? newDraftId(Date.now());
  }

  /** @param url where it was downloaded from: then its files are kept already */
  async save(source: Source, url = ''): Promise<void> {
    const builtin = source.kind === 'builtin' ? source.id : '';
    const name = source.kind === 'builtin' ? source.id : source.name;
    const kept: Kept = { id: this.#id, name, url, builtin };
    try {
      this.#tab?.setItem(KEY, JSON.stringify(kept));
    } catch {
      // The tab's storage is full or refused: the model is shown as long as the page.
      return;
    }
    await this.#given.put(this.#id, url === '' && builtin === '' ? { model: source } : {});
  }

  /** null: nothing was looked into in this tab. */
  async restore(): Promise<RestoredModel | null> {
    const kept = this.#read();
    if (!kept) return null;
    if (kept.builtin !== '') return { source: { kind: 'builtin', id: kept.builtin } };
    if (kept.url !== '') return { url: kept.url, name: kept.name };
    const { model } = (await this.#given.get(kept.id)).sources;
    return model ? { source: model } : { lost: kept.name };
  }

  #read(): Kept | null {
    try {
      const parsed = v.safeParse(keptSchema, JSON.parse(this.#tab?.getItem(KEY) ?? 'null'));
      return parsed.success ? parsed.output : null;
    } catch {
      return null;
    }
  }
}
