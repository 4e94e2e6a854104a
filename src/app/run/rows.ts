/** @file Rows of samples of a long run: as many as a wall can show, evenly apart, with the first and the newest. */
import type { Picture } from '#workers/protocol.ts';

/** One row of the wall: the pictures at one step, a column for each prompt. */
export interface SampleRow {
  readonly step: number;
  readonly prompts: readonly string[];
  readonly pictures: readonly Picture[];
  /** What the model says of each prompt or input. */
  readonly texts?: readonly string[];
}

/** At most so many, and pictures of so many bytes. */
const [ROWS, BYTES] = [200, 64 * 2 ** 20];

const bytesOf = ({ pictures }: SampleRow): number => pictures.reduce((n, { rgba }) => n + rgba.byteLength, 0);

/** The rows by step with one more, in place of one at the same step; where they become too many, without those that lie closest to their neighbours. */
export function withRow(known: readonly SampleRow[], row: SampleRow): readonly SampleRow[] {
  const rows = [...known.filter(({ step }) => step !== row.step), row].sort((a, b) => a.step - b.step);
  let bytes = rows.reduce((n, each) => n + bytesOf(each), 0);
  while (rows.length > 2 && (rows.length > ROWS || bytes > BYTES)) {
    const gap = (i: number): number => rows[i + 1]!.step - rows[i - 1]!.step;
    let closest = 1;
    for (let i = 2; i < rows.length - 1; i++) if (gap(i) < gap(closest)) closest = i;
    bytes -= bytesOf(rows[closest]!);
    rows.splice(closest, 1);
  }
  return rows;
}
