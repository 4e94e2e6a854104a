/** @file Samples of an adapter at any strength. */
import type { Graph } from '#src/graph/types.ts';
import type { Samples, TaskHost } from '#src/tasks/types.ts';
import type { SampleRequest } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import { ProblemError } from '../problems.ts';
import { weightOf, wholeParts } from './adapter.ts';
import { withDifferences } from './differences.ts';
import type { Studio } from './shelf.ts';

/** Throws ProblemError ('unsupported') where the task has no samples. */
export async function draw(
  { adapter, model, external, layoutKey }: Studio,
  request: SampleRequest,
  bench: Bench,
  host: TaskHost,
): Promise<Samples> {
  const { layers, differences, layout, theta } = adapter;
  const { strength } = request;
  if (!model.sample)
    throw new ProblemError({
      code: 'unsupported',
      message: 'This task has no prompts to answer.',
      cure: 'Train a task that writes or draws.',
    });
  const weights = differences && weightOf(await wholeParts(model, external));
  const change =
    differences && weights
      ? (graph: Graph) => withDifferences(graph, weights, layers, differences, strength)
      : undefined;
  // Differences are compiled in with their strength.
  const key = differences ? `${layoutKey}:${strength}` : layoutKey;
  return model.sample(
    {
      ...request,
      negative: adapter.job.sample.negative,
      classes: adapter.classes,
      newHead: layout.whole.length > 0,
    },
    {
      run: (slot, own, graph) =>
        bench.turned({ key, layout, theta, strength, change }, slot, own, graph, external),
    },
    host,
    () => undefined,
  );
}
