/** @file Data made on the page: what was collected for each kind of task, and how it becomes the data of the job. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Source } from '#workers/protocol.ts';
import { Collection } from './collection.svelte.ts';
import type { Content, FileSource, Item, MadeKind } from './content.ts';
import { madeKind, newItem } from './content.ts';
import { pairFiles, pathsOf, sourceOf, usedItems } from './emitted.ts';
import { addPasted, PASTED, type Pasted } from './pasted.ts';
import type { Reading } from './reading.ts';

/** Milliseconds in which changes settle before the data are looked at anew. */
const SETTLE_MS = 500;

/** What the page's state lends. */
export interface MakingHost {
  readonly job: Job;
  readonly train: Source | null;
  readonly heldout: Source | null;
  pick(files: { readonly train: Source; readonly heldout?: Source }): void;
  /** The data of the present task's example. */
  pickExample(): void;
}

interface Made {
  readonly collection: Collection;
  readonly source: FileSource;
  /** It is nowhere but on this page. */
  readonly here: boolean;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** How the job says that its data are read. */
const readingOf = ({ options }: { readonly options: Readonly<Record<string, unknown>> }): Reading => ({
  text: text(options.column),
  label: text(options.labelColumn),
  pair: text(options.pairColumn),
  captionLines: options.captionLines === 'first' ? 'first' : 'all',
  exportsOff: options.exports === 'off',
});

/** Loose files have no name but their count, which changes. */
const nameFor = ({ name }: Collection, source: FileSource): string =>
  /^\d+ files$/.test(source.name) || /^camera-/.test(source.name) ? name : source.name;

export class Making {
  readonly #host: MakingHost;
  readonly #collections: Readonly<Record<MadeKind, Collection>>;
  /** What the present collection became, as the job has it. */
  #made = $state.raw<Made | null>(null);
  #looking = $state(false);
  #refused = $state('');
  /** What the files that were opened hold out themselves, until it is picked beside the others. */
  #judges: Content | null = null;
  #taking: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending = $state.raw<Collection | null>(null);
  /** What was looked through last, and could not be shown. */
  #plain = $state.raw<Source | null>(null);

  constructor(host: MakingHost) {
    this.#host = host;
    const collection = (kind: MadeKind, name: string) =>
      new Collection(kind, name, () => this.#changed(this.#collections[kind]));
    this.#collections = {
      pictures: collection('pictures', 'My pictures'),
      classes: collection('classes', 'My pictures'),
      texts: collection('texts', 'My texts'),
      chats: collection('chats', 'My texts'),
      pairs: collection('pairs', 'My pairs'),
    };
  }

  /** Where data of the present task are collected; null: they are picked only. */
  get collection(): Collection | null {
    const kind = madeKind(this.#host.job.task);
    return kind && this.#collections[kind];
  }
  /** The job's data are what is collected. */
  get active(): boolean {
    return (
      this.#made !== null &&
      this.#made.collection === this.collection &&
      this.#made.source === this.#host.train
    );
  }
  /** The job's data are nowhere but on this page. */
  get unsaved(): boolean {
    return this.active && this.#made?.here === true;
  }
  /** Something is collected that is the job's data, or is about to be. */
  get begun(): boolean {
    return this.active || (this.#pending !== null && this.#pending === this.collection);
  }
  /** Files are being looked through. */
  get looking(): boolean {
    return this.#looking;
  }
  /** Why the last files were not added; '': they were. */
  get refused(): string {
    return this.#refused;
  }
  /** The job's own files cannot be shown as a collection. */
  get plain(): boolean {
    return this.#plain !== null && this.#plain === this.#host.train;
  }

  /** Shows the job's files as a collection, if they can be; they themselves stay the data until something is changed. */
  async look(): Promise<void> {
    const { collection } = this;
    const { train } = this.#host;
    if (!collection || train?.kind !== 'files' || this.#made?.source === train) return;
    const content = await this.#read(collection, train);
    if (this.#host.train !== train || this.collection !== collection) return;
    this.#plain = content ? null : train;
    if (!content) return;
    this.#open(collection, content, nameFor(collection, train));
    this.#made = { collection, source: train, here: train.name === PASTED };
  }

  /** Looks at the job's files anew: it was said otherwise how they are read. */
  async again(): Promise<void> {
    this.#made = null;
    this.#plain = null;
    await this.look();
  }

  /** Makes what could be read of the job's files its data, without the rest. */
  leaveRest(): void {
    if (!this.active) return;
    this.#pending = this.collection;
    this.settle();
  }

  #open(collection: Collection, { heldout, ...content }: Content, name: string): void {
    this.#judges = heldout ?? null;
    collection.open(content, name);
  }

  /** Picked files beside what is there already, or alone. @param label the class that they go to; left out: their own, or none @param here they lie nowhere else */
  take(source: FileSource, label?: string | null, here = false): Promise<void> {
    // One after another: of two pictures in quick succession the second must find the first.
    this.#taking = this.#taking.then(() => this.#take(source, label, here));
    return this.#taking;
  }

  async #take(source: FileSource, label?: string | null, here = false): Promise<void> {
    const { collection } = this;
    this.#refused = '';
    const content = collection && (await this.#read(collection, source));
    if (!collection || (!content && !this.begun)) this.#host.pick({ train: source });
    else if (!content) this.#refused = 'There is nothing in it that could be added here.';
    else if (this.begun || label != null) this.#add(collection, content, label);
    else {
      this.#open(collection, content, nameFor(collection, source));
      this.#made = { collection, source, here };
      this.#host.pick({ train: source });
    }
  }

  /** Adds what was pasted to what is collected; false: nothing is, or it is nothing that can be added. */
  paste(things: readonly Pasted[]): boolean {
    const { collection } = this;
    if (!collection || !this.begun) return false;
    const { kind } = collection;
    const words = things.flatMap((thing) => (thing.kind === 'text' ? thing.text.trim() : [])).join('\n');
    const last = collection.items.at(-1);
    if (kind === 'pictures' && words !== '' && last?.words === null)
      collection.edit('Caption', new Set([last.id]), () => ({ words }));
    const files = things.filter((thing) => kind === 'texts' || kind === 'chats' || thing.kind === 'file');
    const source = addPasted(null, files);
    if (source) void this.take(source);
    return source !== null || words !== '';
  }

  /** Rows of a typed or pasted text: of a table its own, else a line each. */
  async addText(typed: string): Promise<void> {
    const { collection } = this;
    if (!collection) return;
    const { linesIn, twoColumns } = await import('./textRows.ts');
    const { kindOfText } = await import('./pasted.ts');
    const ending = kindOfText(typed);
    const blob = new Blob([typed]);
    const pasted: FileSource = { kind: 'files', name: 'pasted', files: [{ path: `pasted.${ending}`, blob }] };
    const content = ending === 'txt' ? null : await this.#read(collection, pasted);
    if (content) this.#add(collection, content);
    else if (collection.kind === 'chats') collection.add(twoColumns(typed));
    else collection.add(linesIn(typed).map((words) => newItem({ words })));
  }

  /** Items that a remark is said of. */
  itemsAt(paths: readonly string[]): ReadonlySet<number> {
    const { collection } = this;
    if (!collection) return new Set();
    const named = new Set(paths);
    if (collection.kind === 'pairs') {
      const laid = pairFiles(collection.items).filter(({ path }) => named.has(path));
      const own = collection.items.filter(
        ({ name, wanted }) => named.has(name) || (wanted && named.has(wanted.name)),
      );
      return new Set([...laid.map(({ id }) => id), ...own.map(({ id }) => id)]);
    }
    const found = [...pathsOf(usedItems(collection.kind, collection.content))];
    return new Set(found.flatMap(([{ id }, path]) => (named.has(path) ? [id] : [])));
  }

  /** Makes what was changed last the job's data at once. */
  settle(): void {
    clearTimeout(this.#timer);
    const collection = this.#pending;
    this.#pending = null;
    if (!collection || collection !== this.collection) return;
    const { kind, content, name } = collection;
    const reading = readingOf(this.#host.job);
    const source = sourceOf(kind, content, name, reading);
    this.#made = { collection, source, here: true };
    const judges = this.#host.heldout ? null : this.#judges;
    this.#judges = null;
    this.#host.pick({
      train: source,
      ...(judges && { heldout: sourceOf(kind, judges, `${name}, held out`, reading) }),
    });
  }

  /** What was collected before is the job's data again. */
  use(): void {
    const { collection } = this;
    if (!collection || collection.items.length === 0 || this.active) return;
    this.#pending = collection;
    this.settle();
  }
  /** The data of the task's example are the job's. */
  useExample(): void {
    clearTimeout(this.#timer);
    this.#pending = null;
    this.#host.pickExample();
  }

  #changed(collection: Collection): void {
    this.#refused = '';
    this.#pending = collection;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.settle(), SETTLE_MS);
  }

  #add(collection: Collection, { items, classes }: Content, label?: string | null): void {
    if (collection.kind === 'pairs') {
      void this.#addPairs(collection, items);
      return;
    }
    const added = label == null ? items : items.map((item) => ({ ...item, label }));
    const brought = label == null ? classes : [label];
    collection.change(`Add ${collection.counted(items.length)}`, {
      items: [...collection.items, ...added],
      classes: [...new Set([...collection.classes, ...brought])],
    });
  }

  /** Pictures that stand alone join what has their name. */
  async #addPairs(collection: Collection, items: readonly Item[]): Promise<void> {
    const { joined } = await import('./pairing.ts');
    const sides = (['input', 'wanted'] as const).map((side) => ({
      side,
      pictures: items.flatMap(({ name, blob, wanted }) =>
        side === 'input' ? (blob && !wanted ? [{ name, blob }] : []) : wanted && !blob ? [wanted] : [],
      ),
    }));
    const whole = items.filter(({ blob, wanted }) => blob && wanted);
    collection.change(`Add ${collection.counted(items.length)}`, {
      items: sides.reduce<readonly Item[]>(
        (all, { side, pictures }) => joined(all, side, pictures),
        [...collection.items, ...whole],
      ),
    });
  }

  async #read(collection: Collection, source: FileSource): Promise<Content | null> {
    this.#looking = true;
    try {
      const { contentOf } = await import('./reading.ts');
      return await contentOf(collection.kind, source, readingOf(this.#host.job));
    } finally {
      this.#looking = false;
    }
  }
}
