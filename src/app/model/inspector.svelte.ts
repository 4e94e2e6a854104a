/** @file The files that are being looked at: what the worker says of them, which of them is shown, and the sizes that the user chose. */
import type { Proposal } from '#src/tasks/recognition/types.ts';
import type { InspectedFile, Inspection, Look } from '#workers/inspection/types.ts';
import type { Problem, Source } from '#workers/protocol.ts';
import type { Trainer } from '../worker/client.ts';

/** Files of so many bytes are read through for their SHA-256 without being asked. */
const AT_ONCE = 64e6;

export class Inspector {
  readonly #trainer: Pick<Trainer, 'inspect'>;
  #source = $state.raw<Source | null>(null);
  #inspection = $state.raw<Inspection | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #looking = $state<'no' | 'reading' | 'again'>('no');
  #dims = $state.raw<NonNullable<Look['dims']>>({});
  #identifying = $state(false);
  #path = $state<string | null>(null);
  #lost = $state('');
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
  /** What was looked into before a reload and could not be kept, by name; '': nothing. */
  get lost() {
    return this.#lost;
  }
  /** The files are read through for their SHA-256. */
  get identifying() {
    return this.#identifying;
  }
  /** The file that is shown: the chosen one, else what people mean by the set. */
  get file(): InspectedFile | null {
    const models = this.#inspection?.models ?? [];
    return (
      models.find(({ path }) => path === this.#path) ??
      models.find(({ path }) => path === this.#inspection?.first) ??
      models[0] ??
      null
    );
  }

  /** What the shown file can be taught, the likeliest first. */
  get proposals(): readonly Proposal[] {
    return this.file?.kind === 'model' ? this.file.proposals : [];
  }

  /** Nothing is there to be shown but the name of what was. */
  lose(name: string): void {
    if (!this.#source) this.#lost = name;
  }

  async open(source: Source): Promise<void> {
    this.#source = source;
    this.#lost = '';
    this.#inspection = null;
    this.#dims = {};
    this.#path = null;
    this.#identifying = false;
    await this.#look('reading');
    if (!this.#overtaken(source) && (this.inspection?.bytes ?? Infinity) <= AT_ONCE) await this.identify();
  }

  /** Reads every byte for the files' SHA-256. */
  async identify(): Promise<void> {
    const source = this.#source;
    if (!source) return;
    this.#identifying = true;
    const outcome = await this.#trainer.inspect(source, { dims: this.#dims, identity: true });
    if (this.#overtaken(source)) return;
    this.#identifying = false;
    if (!outcome.ok) {
      this.#problem = outcome.problem;
      return;
    }
    // Sizes may have changed while it was read: only the identities are news.
    const hashes = new Map(outcome.value.models.map((m) => [m.path, m.kind === 'model' ? m.hash : null]));
    this.#inspection &&= {
      ...this.#inspection,
      models: this.#inspection.models.map((m) =>
        m.kind === 'model' ? { ...m, hash: hashes.get(m.path) ?? null } : m,
      ),
    };
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

  /** Other files were opened since. */
  #overtaken(source: Source): boolean {
    return this.#source !== source;
  }

  async #look(how: 'reading' | 'again'): Promise<void> {
    const source = this.#source;
    if (!source) return;
    const turn = ++this.#turn;
    this.#looking = how;
    this.#problem = null;
    const outcome = await this.#trainer.inspect(source, { dims: this.#dims });
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

/** The source with one of its models alone, and all that is no model: what belongs to it. */
export const alone = (source: Source, path: string): Source =>
  source.kind === 'builtin'
    ? source
    : { ...source, files: source.files.filter((file) => file.path === path || !/\.onnx$/i.test(file.path)) };
