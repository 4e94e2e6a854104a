/** @file Drawings in the making: the tool, the colour, the stroke that is being drawn, what can be taken back, and the strip of all of them. */
import { randomId } from '#src/platform/id.ts';
import {
  areaAround,
  blank,
  type Edit,
  editBetween,
  isBlank,
  lineBetween,
  mirrored,
  painted,
  type Pixels,
  type Place,
  redone,
  resized,
  undone,
  WHITE,
  within,
} from './pixels.ts';

export const TOOLS = ['pen', 'eraser', 'fill', 'line'] as const;
export type Tool = (typeof TOOLS)[number];

export interface Drawing {
  readonly id: string;
  /** What is drawn, in words. */
  readonly name: string;
  readonly pixels: Pixels;
}

interface Past {
  readonly done: readonly Edit[];
  readonly taken: readonly Edit[];
}

interface Stroke {
  readonly tool: Tool;
  readonly from: Place;
  readonly before: Pixels;
  /** Where the pointer was last. */
  readonly last: Place;
}

const NO_PAST: Past = { done: [], taken: [] };
/** Edits of a drawing that can be taken back. */
const REMEMBERED = 200;

export class DrawingBoard {
  #size = $state(0);
  #drawings = $state.raw<readonly Drawing[]>([]);
  #id = $state('');
  #pasts = $state.raw<ReadonlyMap<string, Past>>(new Map());
  #stroke = $state.raw<Stroke | null>(null);
  #removed = $state.raw<{ readonly drawing: Drawing; readonly at: number } | null>(null);
  tool = $state<Tool>('pen');
  /** 0xRRGGBB. */
  colour = $state(0);
  /** What is drawn on one side comes to the other, too. */
  mirror = $state(false);

  readonly #current = $derived.by(() => this.#drawings.find(({ id }) => id === this.#id)!);
  readonly #past = $derived.by(() => this.#pasts.get(this.#id) ?? NO_PAST);

  /** @param drawings that were made before; without any it begins with an empty one */
  constructor(size: number, drawings: readonly Pick<Drawing, 'name' | 'pixels'>[] = []) {
    this.#size = size;
    this.#drawings = drawings.map(({ name, pixels }) => ({
      id: randomId(),
      name,
      pixels: pixels.size === size ? pixels : resized(pixels, size),
    }));
    if (this.#drawings.length === 0) this.add();
    else this.#id = this.#drawings.at(-1)!.id;
  }

  get size(): number {
    return this.#size;
  }
  get drawings(): readonly Drawing[] {
    return this.#drawings;
  }
  /** Those on which there is anything. */
  get made(): readonly Drawing[] {
    return this.#drawings.filter(({ pixels }) => !isBlank(pixels));
  }
  get current(): Drawing {
    return this.#current;
  }
  get drawing(): boolean {
    return this.#stroke !== null;
  }
  /** Where a line begins whose end is still to come. */
  get anchor(): Place | null {
    return this.#stroke?.tool === 'line' ? this.#stroke.from : null;
  }
  get canUndo(): boolean {
    return this.#past.done.length > 0;
  }
  get canRedo(): boolean {
    return this.#past.taken.length > 0;
  }
  /** What was removed last and can be brought back. */
  get removed(): Drawing | null {
    return this.#removed?.drawing ?? null;
  }

  /** Begins a stroke. @param tool in place of the chosen one: a pen's other end rubs out */
  begin(place: Place, tool: Tool = this.tool): void {
    this.end();
    this.#stroke = { tool, from: place, before: this.#current.pixels, last: place };
    this.#draw(place);
  }

  /** The pointer went on; a line ends here for now. */
  move(place: Place): void {
    const { tool, last } = this.#stroke ?? {};
    if (!last || tool === 'fill' || (place.x === last.x && place.y === last.y)) return;
    this.#draw(place);
  }

  /** Ends the stroke: one thing to take back. */
  end(): void {
    if (!this.#stroke) return;
    const { before } = this.#stroke;
    this.#stroke = null;
    this.#remember(before, this.#current.pixels);
  }

  /** The stroke was none: a second finger, a pointer that the browser took away. */
  cancel(): void {
    if (!this.#stroke) return;
    const { before } = this.#stroke;
    this.#stroke = null;
    this.#show(before);
  }

  undo(): void {
    this.cancel();
    const { done, taken } = this.#past;
    const edit = done.at(-1);
    if (!edit) return;
    this.#show(undone(this.#current.pixels, edit));
    this.#keep({ done: done.slice(0, -1), taken: [...taken, edit] });
  }

  redo(): void {
    this.cancel();
    const { done, taken } = this.#past;
    const edit = taken.at(-1);
    if (!edit) return;
    this.#show(redone(this.#current.pixels, edit));
    this.#keep({ done: [...done, edit], taken: taken.slice(0, -1) });
  }

  /** An empty sheet, which can be taken back. */
  clear(): void {
    this.cancel();
    const before = this.#current.pixels;
    this.#show(blank(this.#size));
    this.#remember(before, this.#current.pixels);
  }

  rename(name: string): void {
    this.#change({ ...this.#current, name });
  }

  select(id: string): void {
    if (!this.#drawings.some((drawing) => drawing.id === id)) return;
    this.end();
    this.#id = id;
  }

  /** An empty drawing at the end, to be drawn on; one that is empty already is taken. */
  add(name = ''): void {
    this.end();
    const empty = this.#drawings.find((drawing) => isBlank(drawing.pixels) && drawing.name === '');
    if (empty) this.#drawings = this.#drawings.filter((drawing) => drawing !== empty);
    const drawing = { id: randomId(), name, pixels: blank(this.#size) };
    this.#drawings = [...this.#drawings, drawing];
    this.#id = drawing.id;
  }

  /** The same once more, right behind it. */
  duplicate(id: string): void {
    this.end();
    const at = this.#drawings.findIndex((drawing) => drawing.id === id);
    const found = this.#drawings[at];
    if (!found) return;
    const copy = { ...found, id: randomId() };
    this.#drawings = this.#drawings.toSpliced(at + 1, 0, copy);
    this.#id = copy.id;
  }

  remove(id: string): void {
    this.end();
    const at = this.#drawings.findIndex((drawing) => drawing.id === id);
    const found = this.#drawings[at];
    if (!found) return;
    this.#removed = { drawing: found, at };
    this.#drawings = this.#drawings.toSpliced(at, 1);
    if (this.#drawings.length === 0) this.add();
    else if (id === this.#id) this.#id = (this.#drawings[at] ?? this.#drawings[at - 1]!).id;
  }

  /** Brings back what was removed last. */
  restore(): void {
    if (!this.#removed) return;
    this.end();
    const { drawing, at } = this.#removed;
    this.#removed = null;
    this.#drawings = this.#drawings.toSpliced(at, 0, drawing);
    this.#id = drawing.id;
  }

  /** Another size: all that is there is brought to it, and nothing before can be taken back. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.cancel();
    this.#size = size;
    this.#pasts = new Map();
    this.#removed = null;
    this.#drawings = this.#drawings.map((drawing) => ({
      ...drawing,
      pixels: resized(drawing.pixels, size),
    }));
  }

  #draw(place: Place): void {
    const stroke = this.#stroke!;
    const { tool, from, before, last } = stroke;
    this.#stroke = { ...stroke, last: place };
    const colour = tool === 'eraser' ? WHITE : this.colour;
    const base = tool === 'line' ? before : this.#current.pixels;
    const starts = tool === 'fill' ? this.#sides([within(this.#size, place)]) : [];
    const places =
      tool === 'fill'
        ? starts.flatMap((start) => areaAround(base, start))
        : this.#sides(lineBetween(tool === 'line' ? from : last, place));
    this.#show(painted(base, places, colour));
  }

  #sides(places: readonly Place[]): readonly Place[] {
    return this.mirror ? mirrored(this.#size, places) : places;
  }

  #show(pixels: Pixels): void {
    this.#change({ ...this.#current, pixels });
  }

  #change(drawing: Drawing): void {
    this.#drawings = this.#drawings.map((each) => (each.id === drawing.id ? drawing : each));
  }

  #remember(before: Pixels, after: Pixels): void {
    const edit = editBetween(before, after);
    if (edit) this.#keep({ done: [...this.#past.done, edit].slice(-REMEMBERED), taken: [] });
  }

  #keep(past: Past): void {
    this.#pasts = new Map(this.#pasts).set(this.#id, past);
  }
}
