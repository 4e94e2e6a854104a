/** @file How fast the device is: the frozen model's pass and a training step of the same examples, in turn, so that whatever else goes on slows both. */
import type { TaskHost } from '#src/tasks/types.ts';
import type { PrepareProgress, Speed } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import { ProblemError } from '../problems.ts';
import { jobFeeds } from '../run/feeds.ts';
import { held } from './held.ts';
import { firstOf } from './probe.ts';
import type { Setup } from './types.ts';

/** After one that warms up. */
const ROUNDS = 7;

/** Throws ProblemError where the request has an error. */
export async function speedOf(
  setup: Setup,
  bench: Bench,
  host: TaskHost,
  tell: (progress: PrepareProgress) => void,
): Promise<Speed> {
  const { prepared, trained, external, job, layout, planned, layoutKey } = setup;
  const error = setup.problems.find(({ severity }) => severity === 'error');
  if (error) throw new ProblemError(error);
  await prepared.warm(host, (done, total) => tell({ what: 'encoding', done, total }));
  const program = setup.program(setup.rounds);
  const step = await bench.training(setup.trainingKey(setup.rounds), () => program, external);
  const graph = held(trained.graph, job.train.quantise, layout);
  const forward = bench.frozen('speed', `${layoutKey} ${job.train.quantise}`, () => graph, external);
  // At a rate of 0 the steps learn nothing, however many there are.
  const feeds = await jobFeeds(setup)(firstOf(setup), 0, 0);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const times: { readonly forward: number[]; readonly step: number[] } = { forward: [], step: [] };
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      tell({ what: 'timing', done: round, total: ROUNDS });
      const taken = [
        await timed(() => forward(feeds)),
        await timed(() => step.run(feeds, ['loss'])),
      ] as const;
      if (round === 0) continue;
      times.forward.push(taken[0]);
      times.step.push(taken[1]);
    }
  } finally {
    await bench.endTraining();
  }
  return {
    backend: bench.runtime.backend,
    batch: job.train.batch,
    layers: planned.length,
    forward: { nodes: trained.graph.nodes.length, ms: times.forward },
    step: { nodes: program.stages.reduce((n, { graph }) => n + graph.nodes.length, 0), ms: times.step },
  };
}
