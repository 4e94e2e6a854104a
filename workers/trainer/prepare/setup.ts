/** @file A request made ready: model and data read by the task, layers planned, the step compiled as plain data. Nothing here touches a device. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { once } from '#src/platform/kept.ts';
import { withCure } from '#src/platform/refusals.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import { examineLayers, unadaptedWords } from '#src/oft/layers/layers.ts';
import { isRounded } from '#src/ops/integers/floatForm.ts';
import { roundingWords } from '#src/ops/integers/types.ts';
import { withInverses } from '#src/oft/rotation/inverses.ts';
import { type Layout, parameterLayout, writeParameters } from '#src/oft/rotation/parameters.ts';
import type { PlanProblem } from '#src/oft/plan/types.ts';
import { leastMemory } from '#src/program/recompute.ts';
import { compileTraining } from '#src/program/training.ts';
import { startingParameters } from '#src/program/weights.ts';
import type { Program } from '#src/program/types.ts';
import type { PreparedTask, TaskHost, TaskModel, TrainedGraph } from '#src/tasks/types.ts';
import { firstRounds } from '#src/training/rounds.ts';
import type { JobRequest, PrepareProgress, Unsaveable } from '../../protocol.ts';
import { begin } from '../adapters/begin.ts';
import type { Loader } from '../files/loader.ts';
import { ProblemError } from '../problems.ts';
import { dataProblems } from './dataProblems.ts';
import { BITS, held, inBits } from './held.ts';
import { rehearse } from './rehearse.ts';
import type { Setup, SetupProblem } from './types.ts';
import type { Saved } from '../saved.ts';

/** Names an adapted model: equal keys, equal programs. */
export const layoutKeyOf = (modelHash: string, { planned, whole }: Layout): string =>
  JSON.stringify([modelHash, planned.map((p) => ({ ...p, layer: p.layer.path })), whole]);

const planProblem = ({ severity, message, item, cure }: PlanProblem, layers: number): SetupProblem => ({
  severity,
  code: layers === 0 && severity === 'error' && item === undefined ? 'nothing-to-adapt' : 'bad-job',
  message,
  item,
  cure,
});

/** What becomes of activations that the model rounds to whole numbers. */
function roundingProblems({ parts }: TaskModel): SetupProblem[] {
  const rounded = parts.map(({ file }) => file.model).find(({ graph }) => isRounded(graph));
  return rounded
    ? [{ severity: 'warning', code: 'unsupported', ...roundingWords[rounded.rounding ?? 'drop'] }]
    : [];
}

/** Nodes that multiply by constants and are no layers: they stay as they are. */
function unadaptedProblems(graph: Graph): SetupProblem[] {
  const { others } = examineLayers(graph);
  if (others.length === 0) return [];
  const message = `Not every product with constants is a layer that can turn: ${unadaptedWords(others)}.`;
  return [{ severity: 'warning', code: 'unsupported', message }];
}

/** A wish for fewer bits that nothing comes of. */
function unroundedProblems(graph: Graph, { train }: Job, layout: Layout): SetupProblem[] {
  const bits = BITS[train.quantise];
  if (bits === null || inBits(graph, bits, layout).weights.length > 0) return [];
  return [
    {
      severity: 'warning',
      code: 'unsupported',
      message: `No weight of this model is held in ${bits} bits: there is no large one in float that a layer multiplies by.`,
      cure: 'Hold the weights as they are: that comes to the same.',
    },
  ];
}

/** Whole weights of a trained graph. Throws GraphError where the graph has no such constant. */
const wholeOf = ({ graph, whole = [] }: TrainedGraph) =>
  whole.map((name) => {
    const constant = graph.constants.get(name);
    if (!constant)
      throw new GraphError(
        `${name} is to be trained, but the model has no such weight. Choose another head, or export the model again.`,
      );
    return { name, shape: constant.shape };
  });

/** Data that cannot be used may leave no graph to train: then they are what is wrong, and all of it is said. */
function trainedBy(prepared: PreparedTask): TrainedGraph {
  try {
    return prepared.training();
  } catch (cause) {
    const [first, ...more] = prepared.problems.filter(({ severity }) => severity === 'error');
    if (!first) throw cause;
    const named = [first, ...more].slice(0, 5).map(({ message }) => message);
    const rest = more.length + 1 - named.length;
    throw new ProblemError(
      {
        code: 'bad-data',
        item: first.item,
        message: [...named, ...(rest > 0 ? [`And ${rest} more like these.`] : [])].join(' '),
        safe: 'Nothing was changed.',
        cure: first.cure ?? 'Mend the data, or use others.',
      },
      { cause },
    );
  }
}

/**
 * Reads, plans and compiles. Throws only where there is nothing to list problems of (no model, no data).
 * @param saved of the run that is to go on
 * @param tell throwing from it ends the work
 */
export async function makeSetup(
  request: JobRequest,
  loader: Loader,
  host: TaskHost,
  saved: Saved | null,
  tell: (progress: PrepareProgress) => void = () => undefined,
): Promise<Setup> {
  const { job } = request;
  const model = await loader.model(request.model, job);
  const prepared = await loader.prepared(request, host, (done, total) => tell({ what: 'data', done, total }));
  const trained = trainedBy(prepared);
  const { layers } = trained;
  const beginning = await begin(request, loader, model.hash, layers, saved);
  const { planned, planProblems } = beginning;
  const layout = parameterLayout(planned, wholeOf(trained));
  const initial =
    beginning.numbers &&
    withInverses(layout, {
      theta: writeParameters(layout, beginning.numbers, startingParameters(layout, trained.graph)),
    });
  const rounds = firstRounds(layout, job.train);
  const planErrors = planProblems.some((p) => p.severity === 'error');
  const programs = new Map<string, Program>();
  const program = (rounds: number, variant = 0): Program => {
    const key = `${rounds}:${variant}`;
    const known = programs.get(key);
    if (known) return known;
    const { graph, loss } = variant === 0 ? trained : prepared.training(variant);
    const { accumulate, betas, eps, weightDecay, clip, blockwiseRate } = job.train;
    const made = compileTraining({
      graph: held(graph, job.train.quantise, layout),
      layout,
      rounds,
      optimiser: { betas, eps, weightDecay, clip, accumulate, blockwiseRate },
      loss,
    });
    const begun: Program = initial
      ? { ...made, state: made.state.map((s) => ({ ...s, init: initial[s.name] ?? s.init })) }
      : made;
    const final = job.train.recompute ? leastMemory(begun).program : begun;
    programs.set(key, final);
    return final;
  };
  const problems: SetupProblem[] = [
    ...beginning.problems,
    ...planProblems.map((p) => planProblem(p, planned.length)),
    ...unadaptedProblems(trained.graph),
    ...roundingProblems(model),
    ...unroundedProblems(trained.graph, job, layout),
    ...dataProblems(prepared.problems),
  ];
  if (!planErrors) {
    try {
      program(rounds);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      problems.unshift({
        severity: 'error',
        code: 'unsupported',
        message: error.message,
        ...withCure(error),
      });
    }
  }
  const layoutKey = layoutKeyOf(model.hash, layout);
  let found: readonly Unsaveable[] | undefined;
  const setup: Setup = {
    request,
    job,
    model,
    prepared,
    trained,
    layers,
    planned,
    adapter: beginning.adapter,
    report: beginning.report,
    layout,
    weights: model.weights,
    external: loader.external(request.model),
    problems,
    program,
    layoutKey,
    rounds,
    unsaveable: once(async () => (found = await rehearse(setup))),
    foundUnsaveable: () => found,
    trainingKey: (rounds, variant = 0) => {
      const { steps: _, learningRate: __, seed: ___, ...rest } = job.train;
      const { inputs, outputs } = trained.graph;
      return JSON.stringify([
        layoutKey,
        job.task,
        job.options,
        job.inputs,
        job.rounding,
        inputs,
        outputs,
        rest,
        rounds,
        variant,
      ]);
    },
  };
  return setup;
}
