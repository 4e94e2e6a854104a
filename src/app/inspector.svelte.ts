/** @file The files that are being looked at: what the worker says of them, which of them is shown, and the sizes that the user chose. */
import type { DimChoice, InspectedFile, Inspection } from '#workers/inspection/types.ts';
import type { Problem, Source } from '#workers/protocol.ts';
import type { Trainer } from './client.ts';

export class Inspector {
  readonly #trainer: Pick<Trainer, 'inspect'>;
  #source = $state.raw<Source | null>(null);
  #inspection = $state.raw<Inspection | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #looking = $state<'no' | 'reading' | 'again'>('no');
  #dims = $state.raw<DimChoice>({});
  #path = $state<string | null>(null);
  #turn = 0;

  constructor(trainer: Pick<Trainer, 'inspect'>) {
    this.#trainer = trainer;
  }

  get source() {
    return this.#source;
  }
  /** null: nothing was opened, or it is still being read, or could not be. */
  get inspection() {
    return this.#inspection;
  }
  /** Why the files as a whole could not be looked at. */
  get problem() {
    return this.#problem;
  }
  /** reading: the files themselves; again: with other sizes. */
  get looking() {
    return this.#looking;
  }
  get name(): string {
    return this.#inspection?.name ?? nameOf(this.#source);
  }
  /** The file that is shown: the chosen one, else the first that is a model. */
  get file(): InspectedFile | null {
    const models = this.#inspection?.models ?? [];
    return (
      models.find(({ path }) => path === this.#path) ??
      models.find(({ kind }) => kind === 'model') ??
      models[0] ??
      null
    );
  }

  async open(source: Source): Promise<void> {
    this.#source = source;
    this.#inspection = null;
    this.#dims = {};
    this.#path = null;
    await this.#look('reading');
  }

  /** Shows another file of the set. */
  choose(path: string): void {
    this.#path = path;
  }

  /** Binds a dimension to a size; null: back to the assumed one. */
  async bind(path: string, name: string, size: number | null): Promise<void> {
    const { [name]: _, ...others } = this.#dims[path] ?? {};
    this.#dims = { ...this.#dims, [path]: size === null ? others : { ...others, [name]: size } };
    await this.#look('again');
  }

  async #look(how: 'reading' | 'again'): Promise<void> {
    const source = this.#source;
    if (!source) return;
    const turn = ++this.#turn;
    this.#looking = how;
    this.#problem = null;
    const outcome = await this.#trainer.inspect(source, this.#dims);
    // A newer question overtook this one: its answer is the one to show.
    if (turn !== this.#turn) return;
    this.#looking = 'no';
    if (outcome.ok) this.#inspection = outcome.value;
    else this.#problem = outcome.problem;
  }
}

export function nameOf(source: Source | null): string {
  if (!source) return '';
  return source.kind === 'builtin' ? source.id : source.name;
}

/** Whether picked files are a model to look at: an ONNX file among them, or one archive. */
export const holdsModel = (source: Source): boolean =>
  source.kind === 'files' && source.files.some(({ path }) => /\.(onnx|zip)$/i.test(path));
