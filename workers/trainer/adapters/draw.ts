/** @file Samples of an adapter at any strength, and what it makes of things that a person gives it. */
import type { Graph } from '#src/graph/types.ts';
import { writeNpz } from '#src/tasks/arrays/npz.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { Adapted, Samples, TaskHost } from '#src/tasks/types.ts';
import type { AskRequest, Said, SampleRequest } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import { held } from '../prepare/held.ts';
import { ProblemError } from '../problems.ts';
import { weightOf, wholeParts } from './adapter.ts';
import { withDifferences } from './differences.ts';
import type { Studio } from './shelf.ts';

/** The model with the adapter at a strength: 0 is untouched, 1 as trained. */
async function adaptedAt(
  { adapter, model, external, layoutKey }: Studio,
  strength: number,
  bench: Bench,
): Promise<Adapted> {
  const { job, layers, differences, layout, theta } = adapter;
  // Differences are of the weights as they are.
  const asHeld = (graph: Graph): Graph => (differences ? graph : held(graph, job.train.quantise, layout));
  const weights = differences && weightOf(await wholeParts(model, external));
  const change =
    differences && weights
      ? (graph: Graph) => withDifferences(graph, weights, layers, differences, strength)
      : undefined;
  // Differences are compiled in with their strength.
  const key = differences ? `${layoutKey}:${strength}` : layoutKey;
  return {
    run: (slot, graph) =>
      bench.turned({ key, layout, theta, strength, change }, slot, asHeld(graph), external),
  };
}

const still = (): void => undefined;

/** The classes that the adapter tells apart. */
const classesOf = ({ classes, layout }: Studio['adapter']) => ({ classes, newHead: layout.whole.length > 0 });

/** Throws ProblemError ('unsupported') where the task has no samples. */
export async function draw(
  studio: Studio,
  request: SampleRequest,
  bench: Bench,
  host: TaskHost,
): Promise<Samples> {
  const { adapter, model } = studio;
  if (!model.sample)
    throw new ProblemError({
      code: 'unsupported',
      message: 'This task has no prompts to answer.',
      cure: 'Train a task that writes or draws.',
    });
  const adapted = await adaptedAt(studio, request.strength, bench);
  const wish = { ...request, negative: adapter.job.sample.negative, ...classesOf(adapter) };
  return model.sample(wish, adapted, host, still);
}

/**
 * The answers at each strength.
 * @param files what was given besides texts
 * @throws ProblemError ('unsupported') where the task takes nothing, DataError where nothing of it can be read
 */
export async function ask(
  studio: Studio,
  { texts = [], seed = 0, strengths }: AskRequest,
  files: FileSet | null,
  bench: Bench,
  host: TaskHost,
): Promise<readonly Said[]> {
  const { adapter, model } = studio;
  if (!model.ask)
    throw new ProblemError({
      code: 'unsupported',
      message: 'This task takes prompts alone.',
      cure: 'Type what to draw.',
    });
  const said: Said[] = [];
  for (const strength of strengths) {
    const question = { files, texts, seed, ...classesOf(adapter) };
    const adapted = await adaptedAt(studio, strength, bench);
    const { items, arrays } = await model.ask(question, adapted, host, still);
    said.push({
      strength,
      items,
      ...(arrays && {
        arrays: [...arrays].map(([name, { type, shape }]) => ({ name, type, shape })),
        npz: await writeNpz(arrays),
      }),
    });
  }
  return said;
}
