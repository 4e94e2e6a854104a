/** @file Two timed steps: how long a step of this job takes on this device. */
import type { Bench } from '../bench.ts';
import { jobFeeds } from '../run/feeds.ts';
import type { Setup } from './types.ts';

/** Seconds per step: the quicker of two, after one that warms up. What they learn is thrown away when a run begins. */
export async function probe(setup: Setup, bench: Bench): Promise<number> {
  const { train } = setup.job;
  const executable = await bench.training(
    setup.trainingKey(setup.rounds),
    () => setup.program(setup.rounds),
    setup.external,
  );
  const feeds = jobFeeds(setup);
  const step = firstOf(setup);
  const times: number[] = [];
  for (let time = 0; time < 3; time++) {
    const began = performance.now();
    for (let micro = 0; micro < train.accumulate; micro++) {
      await executable.run(await feeds(step, 0, 0), ['loss']);
    }
    times.push((performance.now() - began) / 1000);
  }
  return Math.min(...times.slice(1));
}

/** The first step whose first micro-batch has the shape of the program that is timed. */
export function firstOf({ prepared }: Setup): number {
  let step = 0;
  while (prepared.variant && prepared.variant(step) !== 0) step++;
  return step;
}
