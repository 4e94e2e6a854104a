/** @file What came of faults that were injected: counted here, written to test-results/reliability, made a table by scripts/reliability.mjs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/ensure.mjs';

/** One row of the table in docs/reliability.md. */
export interface Row {
  /** What the fault is done to; rows of one kind stand together: "Killed", "Storage". */
  readonly kind: string;
  /** What was injected, and when. */
  readonly fault: string;
  /** What must come of it, in the words of a person. */
  readonly outcome: string;
  readonly tried: number;
  readonly held: number;
}

/** Counts cases of one row as they come, and writes the row after each, so that a run that breaks off leaves what it saw. */
export class Tally {
  readonly #row: Omit<Row, 'tried' | 'held'>;
  #tried = 0;
  #held = 0;
  readonly #broken: string[] = [];

  constructor(row: Omit<Row, 'tried' | 'held'>) {
    this.#row = row;
  }

  /** Tries one case; what it throws is kept as the reason why it does not hold. */
  async try(name: string, body: () => Promise<void>): Promise<void> {
    this.#tried++;
    try {
      await body();
      this.#held++;
    } catch (error) {
      this.#broken.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#write();
  }

  /** Cases that did not hold, with their reasons; a test ends by expecting none. */
  get broken(): readonly string[] {
    return this.#broken;
  }

  #write(): void {
    const folder = join(ROOT, 'test-results/reliability');
    mkdirSync(folder, { recursive: true });
    const row: Row = { ...this.#row, tried: this.#tried, held: this.#held };
    const name = `${row.kind} ${row.fault}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    writeFileSync(
      join(folder, `${name.slice(0, 120)}.json`),
      `${JSON.stringify({ ...row, broken: this.#broken }, null, 2)}\n`,
    );
  }
}
