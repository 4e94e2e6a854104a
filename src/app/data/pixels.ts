/** @file Small pictures drawn by hand, as numbers: what a tool touches, and edits that can be taken back to the last cell. */

/** A square picture. */
export interface Pixels {
  /** Cells of a side. */
  readonly size: number;
  /** 0xRRGGBB, row-major. */
  readonly cells: Uint32Array;
}

/** The model has no transparency: nothing drawn is white. */
export const WHITE = 0xff_ff_ff;

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What changed between two pictures of one size. */
export interface Edit {
  /** Indices of the cells that differ. */
  readonly at: Uint32Array;
  readonly before: Uint32Array;
  readonly after: Uint32Array;
}

export const blank = (size: number): Pixels => ({ size, cells: new Uint32Array(size * size).fill(WHITE) });

export const isBlank = ({ cells }: Pixels): boolean => cells.every((cell) => cell === WHITE);

export const indexOf = ({ size }: Pixels, { x, y }: Place): number => y * size + x;

const inside = ({ size }: Pixels, { x, y }: Place): boolean => x >= 0 && y >= 0 && x < size && y < size;

/** The nearest cell of the picture. */
export const within = (size: number, { x, y }: Place): Place => ({
  x: Math.max(0, Math.min(size - 1, x)),
  y: Math.max(0, Math.min(size - 1, y)),
});

/** Cells from one place to another, both ends among them, each a neighbour of the next (Bresenham 1965). */
export function lineBetween(from: Place, to: Place): Place[] {
  const [dx, dy] = [Math.abs(to.x - from.x), -Math.abs(to.y - from.y)];
  const [sx, sy] = [from.x < to.x ? 1 : -1, from.y < to.y ? 1 : -1];
  const places: Place[] = [];
  let { x, y } = from;
  let error = dx + dy;
  for (;;) {
    places.push({ x, y });
    if (x === to.x && y === to.y) return places;
    const twice = 2 * error;
    if (twice >= dy) {
      error += dy;
      x += sx;
    }
    if (twice <= dx) {
      error += dx;
      y += sy;
    }
  }
}

/** Cells of the place's colour that hang together with it by their sides. */
export function areaAround(pixels: Pixels, place: Place): Place[] {
  if (!inside(pixels, place)) return [];
  const { size, cells } = pixels;
  const colour = cells[indexOf(pixels, place)];
  const seen = new Uint8Array(cells.length);
  const found: Place[] = [];
  const todo = [place];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const index = next.y * size + next.x;
    if (!inside(pixels, next) || seen[index] === 1 || cells[index] !== colour) continue;
    seen[index] = 1;
    found.push(next);
    const { x, y } = next;
    todo.push({ x: x + 1, y }, { x: x - 1, y }, { x, y: y + 1 }, { x, y: y - 1 });
  }
  return found;
}

/** The places, and those across the upright middle from them. */
export const mirrored = (size: number, places: readonly Place[]): Place[] =>
  places.flatMap(({ x, y }) => [
    { x, y },
    { x: size - 1 - x, y },
  ]);

/** The picture with these places in a colour; what lies outside is left out. */
export function painted(pixels: Pixels, places: Iterable<Place>, colour: number): Pixels {
  const cells = pixels.cells.slice();
  for (const place of places) if (inside(pixels, place)) cells[indexOf(pixels, place)] = colour;
  return { size: pixels.size, cells };
}

/** What leads from one picture to another of the same size; null: they are alike. */
export function editBetween(before: Pixels, after: Pixels): Edit | null {
  const at = Uint32Array.from(before.cells.keys()).filter((i) => before.cells[i] !== after.cells[i]);
  if (at.length === 0) return null;
  return { at, before: at.map((i) => before.cells[i]!), after: at.map((i) => after.cells[i]!) };
}

/** The picture with an edit made. */
export const redone = (pixels: Pixels, { at, after }: Edit): Pixels => put(pixels, at, after);

/** The picture with an edit taken back. */
export const undone = (pixels: Pixels, { at, before }: Edit): Pixels => put(pixels, at, before);

function put({ size, cells }: Pixels, at: Uint32Array, values: Uint32Array): Pixels {
  const changed = cells.slice();
  at.forEach((index, i) => (changed[index] = values[i]!));
  return { size, cells: changed };
}

/** The picture at another size, each cell the one that lies under its centre. */
export function resized(pixels: Pixels, size: number): Pixels {
  const from = (i: number): number => Math.floor(((i + 0.5) * pixels.size) / size);
  const cells = Uint32Array.from(
    { length: size * size },
    (_, i) => pixels.cells[from(Math.floor(i / size)) * pixels.size + from(i % size)]!,
  );
  return { size, cells };
}

/** RGBA, row-major, 0–255. */
export function rgbaOf({ cells }: Pixels): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(4 * cells.length);
  cells.forEach((cell, i) => rgba.set([cell >> 16, (cell >> 8) & 255, cell & 255, 255], 4 * i));
  return rgba;
}

/** The picture of RGBA values, laid over white. */
export function fromRgba(size: number, rgba: ArrayLike<number>): Pixels {
  const cells = Uint32Array.from({ length: size * size }, (_, i) => {
    const alpha = rgba[4 * i + 3]! / 255;
    const over = (c: number): number => Math.round(rgba[4 * i + c]! * alpha + 255 * (1 - alpha));
    return (over(0) << 16) | (over(1) << 8) | over(2);
  });
  return { size, cells };
}
