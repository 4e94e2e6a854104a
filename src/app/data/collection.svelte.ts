/** @file What a person collects on the page, with every change undone and redone. */
import { classesWith, type Content, EMPTY, type Item, type MadeKind, newItem } from './content.ts';
import type { DrawnFile } from './drawingFiles.ts';

/** Changes that can be taken back. */
const KEPT = 200;

interface Step {
  readonly content: Content;
  /** What was done to get there: "Remove 3 pictures". */
  readonly words: string;
}

const DRAWN = 'drawn/';
const drawnPath = (i: number): string => `${DRAWN}${i + 1}.png`;
const isDrawn = ({ name }: Item): boolean => name.startsWith(DRAWN);

export class Collection {
  readonly kind: MadeKind;
  /** What the data are called in jobs. */
  name = $state('');
  #steps = $state.raw<readonly Step[]>([{ content: EMPTY, words: '' }]);
  #at = $state(0);
  readonly #changed: () => void;

  /** @param changed is called after every change, undone ones too */
  constructor(kind: MadeKind, name: string, changed: () => void = () => undefined) {
    this.kind = kind;
    this.name = name;
    this.#changed = changed;
  }

  get content(): Content {
    return this.#steps[this.#at]!.content;
  }
  get items(): readonly Item[] {
    return this.content.items;
  }
  get classes(): readonly string[] {
    return this.content.classes;
  }
  /** What undoing takes back; null: nothing was done. */
  get undoes(): string | null {
    return this.#at > 0 ? this.#steps[this.#at]!.words : null;
  }
  get redoes(): string | null {
    return this.#steps[this.#at + 1]?.words ?? null;
  }

  /** Another content altogether, after which what was there before can still be had back. Nobody is told: it came from outside. */
  open(content: Content, name: string): void {
    this.name = name;
    const before = this.items.length > 0 ? this.#steps.slice(0, this.#at + 1) : [];
    this.#steps = [...before, { content, words: `Open ${name}` }];
    this.#at = this.#steps.length - 1;
  }

  undo(): void {
    if (this.#at === 0) return;
    this.#at--;
    this.#changed();
  }
  redo(): void {
    if (this.#at + 1 >= this.#steps.length) return;
    this.#at++;
    this.#changed();
  }

  /** @param words what is done: "Add 3 pictures" */
  change(words: string, change: Partial<Content>): void {
    const content = { ...this.content, ...change };
    this.#steps = [...this.#steps.slice(Math.max(0, this.#at + 1 - KEPT), this.#at + 1), { content, words }];
    this.#at = this.#steps.length - 1;
    this.#changed();
  }

  /** New items at the end; classes that they bring are new ones. */
  add(items: readonly Item[]): void {
    if (items.length === 0) return;
    this.change(`Add ${this.counted(items.length)}`, {
      items: [...this.items, ...items],
      classes: classesWith(this.classes, items),
    });
  }
  remove(ids: ReadonlySet<number>): void {
    const items = this.items.filter(({ id }) => !ids.has(id));
    const gone = this.items.length - items.length;
    if (gone > 0) this.change(`Remove ${this.counted(gone)}`, { items });
  }
  /**
   * Pictures drawn on the page, as they all are now, in place of what was drawn before. Strokes in a row are one change.
   * @param label the class that they are of; null: they have captions, and no class
   */
  draw(drawings: readonly DrawnFile[], label: string | null = null): void {
    const words = label === null ? 'Draw' : `Draw ${label}`;
    const own = (item: Item): boolean => isDrawn(item) && (label === null || item.label === label);
    const before = this.items.filter(own);
    const drawn = drawings.map(({ name, blob }, i) => {
      const caption = label === null && name !== '' ? name : null;
      return { ...(before[i] ?? newItem({ name: drawnPath(i) })), blob, words: caption, label };
    });
    if (this.undoes === words) this.#at--;
    this.change(words, {
      items: [...this.items.filter((item) => !own(item)), ...drawn],
      classes: classesWith(this.classes, drawn),
    });
  }
  /** What was drawn on the page, in the order in which it was begun. @param label of that class alone */
  drawn(label: string | null = null): readonly DrawnFile[] {
    return this.items
      .filter((item) => isDrawn(item) && (label === null || item.label === label))
      .flatMap(({ words, blob }) => (blob ? [{ name: words ?? '', blob }] : []));
  }

  /** Changes some items; nothing where they stay as they are. */
  edit(words: string, ids: ReadonlySet<number>, edit: (item: Item) => Partial<Omit<Item, 'id'>>): void {
    let edited = 0;
    const items = this.items.map((item) => {
      if (!ids.has(item.id)) return item;
      const next = { ...item, ...edit(item) };
      const same = (['words', 'label', 'answer', 'name', 'blob', 'chat', 'wanted'] as const).every(
        (k) => next[k] === item[k],
      );
      if (!same) edited++;
      return same ? item : next;
    });
    if (edited > 0) this.change(words, { items, classes: classesWith(this.classes, items) });
  }

  /** The same caption for all. @param wordless for those alone that have none */
  captionAll(words: string, wordless = false): void {
    this.edit('The same words for all', this.#all(), (item) =>
      wordless && item.words !== null ? {} : { words },
    );
  }
  prefixAll(prefix: string): void {
    this.edit('Words in front of all', this.#all(), (item) => ({
      words: item.words ? `${prefix} ${item.words}` : prefix,
    }));
  }

  addClass(name: string): void {
    if (!this.classes.includes(name)) this.change(`Add class ${name}`, { classes: [...this.classes, name] });
  }
  /** A name that another class has makes one class of the two. */
  renameClass(from: string, to: string): void {
    if (from === to) return;
    this.change(`Rename ${from}`, {
      classes: [...new Set(this.classes.map((name) => (name === from ? to : name)))],
      items: this.items.map((item) => (item.label === from ? { ...item, label: to } : item)),
    });
  }
  /** Its items stay, in no class. */
  removeClass(name: string): void {
    this.change(`Remove class ${name}`, {
      classes: this.classes.filter((each) => each !== name),
      items: this.items.map((item) => (item.label === name ? { ...item, label: null } : item)),
    });
  }
  move(ids: ReadonlySet<number>, label: string | null): void {
    this.edit(label === null ? 'Take out of the class' : `Move to ${label}`, ids, () => ({ label }));
  }

  /** "1 picture", "3 texts" */
  counted(n: number): string {
    const nouns = { pictures: 'picture', classes: 'picture', texts: 'text', chats: 'text', pairs: 'pair' };
    const noun = nouns[this.kind];
    return `${n} ${noun}${n === 1 ? '' : 's'}`;
  }

  #all(): ReadonlySet<number> {
    return new Set(this.items.map(({ id }) => id));
  }
}
