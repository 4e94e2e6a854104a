/** @file The records of a run's steps in columns: a hundred thousand take 6 MB, and one more is added without copying those before. */
import { Growing } from '#src/platform/growing.ts';
import type { StepRecord } from './types.ts';

const NUMBERS = ['loss', 'learningRate', 'gradNorm', 'ms', 'residual'] as const;
const COLUMNS = ['step', ...NUMBERS, 'flags'] as const;

/** Bits of `flags`: a missing residual is another thing than one that is not a number. */
const [SKIPPED, RESIDUAL] = [1, 2];

/** Plain data for stores and messages: a number for each record in each column. `flags`: 1 skipped, 2 with a residual. */
export type StepColumns = Readonly<Record<(typeof COLUMNS)[number], Float64Array>>;

export class StepLog implements Iterable<StepRecord> {
  readonly #columns: Readonly<Record<(typeof COLUMNS)[number], Growing>>;
  #skipped = 0;

  /** @param columns all of one length; they are copied */
  constructor(columns?: StepColumns) {
    const column = (name: (typeof COLUMNS)[number]): Growing => new Growing(columns?.[name]);
    this.#columns = Object.fromEntries(COLUMNS.map((name) => [name, column(name)])) as Record<
      (typeof COLUMNS)[number],
      Growing
    >;
    for (const flags of columns?.flags ?? []) this.#skipped += flags & SKIPPED;
  }

  static of(records: Iterable<StepRecord>): StepLog {
    const log = new StepLog();
    for (const record of records) log.push(record);
    return log;
  }

  get length(): number {
    return this.#columns.step.length;
  }

  /** Updates that were left out. */
  get skipped(): number {
    return this.#skipped;
  }

  /** undefined beyond the ends; negative ones count from the last. */
  at(i: number): StepRecord | undefined {
    const { step, flags, loss, learningRate, gradNorm, ms, residual } = this.#columns;
    if (Number.isNaN(flags.at(i))) return undefined;
    return {
      step: step.at(i),
      loss: loss.at(i),
      learningRate: learningRate.at(i),
      gradNorm: gradNorm.at(i),
      ms: ms.at(i),
      ...(flags.at(i) & SKIPPED && { skipped: true }),
      ...(flags.at(i) & RESIDUAL && { residual: residual.at(i) }),
    };
  }

  push(record: StepRecord): void {
    const { step, skipped = false, residual } = record;
    this.#columns.step.push(step);
    for (const name of NUMBERS) this.#columns[name].push(record[name] ?? Number.NaN);
    this.#columns.flags.push((skipped ? SKIPPED : 0) | (residual === undefined ? 0 : RESIDUAL));
    this.#skipped += Number(skipped);
  }

  /** All of one kind, uncopied: true until the next record. */
  column(name: (typeof COLUMNS)[number]): Float64Array {
    return this.#columns[name].view();
  }

  /** A log of the records before a step. */
  before(step: number): StepLog {
    const steps = this.column('step');
    const after = steps.findIndex((each) => each >= step);
    const length = after < 0 ? steps.length : after;
    const columns = COLUMNS.map((name) => [name, this.column(name).subarray(0, length)]);
    return new StepLog(Object.fromEntries(columns) as StepColumns);
  }

  /** A copy for stores and messages. */
  columns(): StepColumns {
    return Object.fromEntries(COLUMNS.map((name) => [name, this.#columns[name].copy()])) as Record<
      (typeof COLUMNS)[number],
      Float64Array
    >;
  }

  *[Symbol.iterator](): IterableIterator<StepRecord> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }
}

/** The records one by one, where there are few or they leave for a file. */
export const recordsOf = (columns: StepColumns): StepRecord[] => [...new StepLog(columns)];
