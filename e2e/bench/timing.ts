/** @file Things timed in turn by the processor's time, so that whatever else the machine does troubles all of them alike; medians, and how far the middle half of the runs spreads. */

/** Median, quartiles, and the least. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { least: sorted[0]!, median: at(0.5), low: at(0.25), high: at(0.75) };
}

export interface Timed {
  run(): Promise<void>;
}

/** Milliseconds of processor time of this process so far. Where one thread works, it is told apart from what else the machine does. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Runs all in turn, `rounds` times after two to warm up.
 * @param clock in milliseconds
 * @returns milliseconds, by entry and round
 */
export async function inTurn(
  entries: readonly Timed[],
  rounds: number,
  clock: () => number = processorTime,
): Promise<number[][]> {
  const times = entries.map((): number[] => []);
  for (let i = -2; i < rounds; i++)
    for (const [k, entry] of entries.entries()) {
      const start = clock();
      await entry.run();
      if (i >= 0) times[k]!.push(clock() - start);
    }
  return times;
}

/** Round by round, so that a slow spell of the machine stands in both. */
export const ratioOf = (times: readonly number[], base: readonly number[]): Spread =>
  spreadOf(times.map((t, i) => t / base[i]!));
