/** @file A model at an address on the web: what lies there, the download, and what was downloaded before. */
import type { DownloadApi, DownloadProgress, RemoteModel } from '#workers/download/types.ts';
import type { Outcome, Problem, Source } from '#workers/protocol.ts';

export class RemoteModels {
  readonly #trainer: DownloadApi;
  #model = $state.raw<RemoteModel | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #busy = $state<'no' | 'looking' | 'downloading' | 'opening'>('no');
  #progress = $state.raw<DownloadProgress | null>(null);
  #chosen = $state.raw<ReadonlySet<string>>(new Set());
  #stored = $state.raw<readonly RemoteModel[]>([]);
  #turn = 0;

  constructor(trainer: DownloadApi) {
    this.#trainer = trainer;
  }

  /** What lies at the address that was asked about last. */
  get model() {
    return this.#model;
  }
  get problem() {
    return this.#problem;
  }
  get busy() {
    return this.#busy;
  }
  get progress() {
    return this.#progress;
  }
  /** Paths of the model's files that will be downloaded. */
  get chosen() {
    return this.#chosen;
  }
  /** Downloaded before, whole or in part, newest first. */
  get stored() {
    return this.#stored;
  }
  /** Bytes still to come; null where the server does not say. */
  get left(): number | null {
    let left = 0;
    for (const file of this.#wanted()) {
      if (file.bytes === null) return null;
      left += file.bytes - file.here;
    }
    return left;
  }
  /** Bytes of the chosen files that came in an earlier try. */
  get begun(): number {
    return this.#wanted().reduce((n, f) => n + f.here, 0);
  }

  /** Asks the address what lies there. Nothing is downloaded. */
  async look(url: string): Promise<void> {
    const turn = ++this.#turn;
    this.#busy = 'looking';
    this.#model = null;
    this.#problem = null;
    const outcome = await this.#trainer.lookAtUrl(url);
    if (turn !== this.#turn) return;
    this.#busy = 'no';
    this.#take(outcome);
  }

  choose(path: string, wanted: boolean): void {
    const chosen = new Set(this.#chosen);
    if (wanted) chosen.add(path);
    else chosen.delete(path);
    this.#chosen = chosen;
  }

  /** @returns the files to open, once every one is here; null: there is more to ask, or it did not work */
  async download(): Promise<Source | null> {
    const model = this.#model;
    if (!model || this.#busy !== 'no') return null;
    this.#busy = 'downloading';
    this.#problem = null;
    this.#progress = null;
    const outcome = await this.#trainer.download(model.url, [...this.#chosen], (p) => (this.#progress = p));
    this.#progress = null;
    this.#busy = 'no';
    if (!outcome.ok) {
      // How much came is shown beside what went wrong.
      const now = await this.#trainer.lookAtUrl(model.url);
      if (now.ok) this.#model = now.value;
      this.#problem = outcome.problem;
    } else this.#take(outcome);
    await this.refresh();
    return outcome.ok && outcome.value.complete ? this.open(model.url) : null;
  }

  async cancel(): Promise<void> {
    await this.#trainer.cancelDownload();
  }

  /** The files of a downloaded model. */
  async open(url: string): Promise<Source | null> {
    this.#busy = 'opening';
    const outcome = await this.#trainer.openDownload(url);
    this.#busy = 'no';
    if (outcome.ok) {
      this.#model = null;
      return outcome.value;
    }
    this.#problem = outcome.problem;
    return null;
  }

  async remove(url: string): Promise<void> {
    const outcome = await this.#trainer.removeDownload(url);
    if (!outcome.ok) this.#problem = outcome.problem;
    if (this.#model?.url === url) this.#model = null;
    await this.refresh();
  }

  /** Reads what is stored. A browser that stores nothing has nothing to list. */
  async refresh(): Promise<void> {
    const outcome = await this.#trainer.downloads();
    this.#stored = outcome.ok ? outcome.value : [];
  }

  #wanted(): RemoteModel['files'] {
    return this.#model?.files.filter((f) => f.sha256 === null && this.#chosen.has(f.path)) ?? [];
  }

  #take(outcome: Outcome<RemoteModel>): void {
    if (!outcome.ok) {
      this.#problem = outcome.problem;
      return;
    }
    this.#model = outcome.value;
    this.#chosen = new Set(atFirst(outcome.value.files.map((f) => f.path)));
  }
}

/** Repositories hold the same model in many precisions; of several models in one folder the plain one is meant. */
const VARIANT = /(_(fp16|bf16|q\d\w*|quantized|u?int8|bnb4|merged|with_past))+\.onnx.*$/i;

/** What is chosen before the user chooses: all but the variants of a model that is there plain, and but their weights. */
export function atFirst(paths: readonly string[]): readonly string[] {
  const all = new Set(paths);
  return paths.filter((path) => !VARIANT.test(path) || !all.has(path.replace(VARIANT, '.onnx')));
}
