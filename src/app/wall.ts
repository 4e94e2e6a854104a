/** @file Where things are on the wall of samples: how large, and which one an arrow key leads to. */

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Whole multiple at which `columns` pictures of `width` pixels fit into `space` CSS pixels, from 2 to 4. */
export function wallScale(space: number, columns: number, width: number, gap: number): number {
  const each = (space - gap * (columns - 1)) / columns;
  return Math.max(2, Math.min(4, Math.floor(each / width)));
}

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
