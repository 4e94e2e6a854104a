/** @file Where things are on the wall of samples: how large, and which one an arrow key leads to. */

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** CSS pixels: narrower pictures can hardly be pressed, and of large ones little is seen. */
const LEAST = { small: 64, large: 96 };
const LARGEST = 4;

/**
 * CSS pixels for each pixel of a picture where `columns` of them share `space`: for small pictures a whole multiple, so that their pixels
 * stay squares; for those that are wider than their share a fraction. They may come out wider than the space in all: then it scrolls.
 */
export function wallScale(space: number, columns: number, width: number, gap: number): number {
  const each = (space - gap * (columns - 1)) / columns;
  const least = Math.ceil(LEAST.small / width);
  if (width < LEAST.small || each >= width)
    return Math.max(least, Math.min(LARGEST, Math.floor(each / width)));
  return Math.min(width, Math.floor(Math.max(each, LEAST.large))) / width;
}

/** The same for one picture in a space of its own. */
export const zoomScale = (space: number, width: number, most: number): number =>
  space >= width ? Math.min(most, Math.floor(space / width)) : Math.max(1, Math.floor(space)) / width;

/** The cell that a key leads to; the same cell at an edge, null for keys that do not move. */
export function moveCell({ row, column }: Cell, key: string, rows: number, columns: number): Cell | null {
  const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
  switch (key) {
    case 'ArrowUp':
      return { row: clamp(row - 1, rows), column };
    case 'ArrowDown':
      return { row: clamp(row + 1, rows), column };
    case 'ArrowLeft':
      return { row, column: clamp(column - 1, columns) };
    case 'ArrowRight':
      return { row, column: clamp(column + 1, columns) };
    case 'Home':
      return { row, column: 0 };
    case 'End':
      return { row, column: columns - 1 };
    case 'PageUp':
      return { row: 0, column };
    case 'PageDown':
      return { row: rows - 1, column };
    default:
      return null;
  }
}
