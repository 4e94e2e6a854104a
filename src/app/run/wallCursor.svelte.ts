/** @file The rows of the wall in their order, and which sample of them is selected or enlarged, whatever the rows show. */
import type { RunState } from './run.svelte.ts';
import { type Cell, moveCell } from './wall.ts';

export class WallCursor {
  readonly #run: Pick<RunState, 'told'>;
  /** By step, not by row: new rows come in above. */
  #selected = $state.raw({ step: 0, column: 0 });
  zoomed = $state(false);
  /** The element whose cells have `data-cell="row column"`. */
  grid = $state<HTMLElement>();

  readonly untouched = $derived.by(() => this.#run.told.find((row) => row.step === 0) ?? null);
  /** The untouched model's row, if it says something, then the newest first. */
  readonly rows = $derived.by(() => [
    ...(this.untouched ? [this.untouched] : []),
    ...this.#run.told.filter((row) => row !== this.untouched).toReversed(),
  ]);
  readonly cell = $derived.by<Cell>(() => ({
    row: Math.max(
      0,
      this.rows.findIndex(({ step }) => step === this.#selected.step),
    ),
    column: this.#selected.column,
  }));

  constructor(run: Pick<RunState, 'told'>) {
    this.#run = run;
  }

  isAt(row: number, column: number): boolean {
    return this.cell.row === row && this.cell.column === column;
  }

  select({ row, column }: Cell): void {
    this.#selected = { step: this.rows[row]?.step ?? 0, column };
  }

  /** A cell has the focus. A closing dialog gives it back to where it was opened from: that selects nothing. */
  focused(cell: Cell): void {
    if (!this.zoomed) this.select(cell);
  }

  zoom(cell: Cell): void {
    this.select(cell);
    this.zoomed = true;
  }

  unzoom(): void {
    this.zoomed = false;
    this.#focus(this.cell);
  }

  /** Selects what a key leads to; false for keys that do not move. @param columns of a row */
  press(key: string, columns: number): boolean {
    const next = moveCell(this.cell, key, this.rows.length, columns);
    if (next) this.#focus(next);
    return next !== null;
  }

  #focus(cell: Cell): void {
    this.select(cell);
    this.grid?.querySelector<HTMLElement>(`[data-cell="${cell.row} ${cell.column}"]`)?.focus();
  }
}
