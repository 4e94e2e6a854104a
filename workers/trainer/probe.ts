/** @file Two timed steps: how long a step of this job takes on this device. */
import type { Bench } from './bench.ts';
import { FIRST_ROUNDS } from '#src/training/rounds.ts';
import { jobFeeds } from './feeds.ts';
import type { Setup } from './setup.ts';

/** Seconds per step: the quicker of two, after one that warms up. What they learn is thrown away when a run begins. */
export async function probe(setup: Setup, bench: Bench): Promise<number> {
  const { train } = setup.job;
  const executable = await bench.training(
    setup.trainingKey(FIRST_ROUNDS),
    () => setup.program(FIRST_ROUNDS),
    setup.external,
  );
  const feeds = jobFeeds(setup);
  const times: number[] = [];
  for (let step = 0; step < 3; step++) {
    const began = performance.now();
    for (let micro = 0; micro < train.accumulate; micro++) {
      await executable.run(await feeds(step, micro, 0), ['loss']);
    }
    times.push((performance.now() - began) / 1000);
  }
  return Math.min(...times.slice(1));
}
