/** @file The first update of a job on wasm in Node, and how the model is judged before it: for tests of how a job is cut into batches. */
import { scheduleTensor } from '#src/optim/adamw.ts';
import { withInverses } from '#src/oft/rotation/inverses.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { ownFeeds } from '#src/program/names.ts';
import { compileTraining } from '#src/program/training.ts';
import { withRecomputation } from '#src/program/recompute.ts';
import { random } from '../random.ts';
import type { TaskEvaluation, Tensors } from '../types.ts';
import { taskBench } from './bench.ts';
import { openWhole, type TaskRun } from './trainTask.ts';

export interface UpdateRun extends Omit<TaskRun, 'learningRate'> {
  /** Largest gradient norm; default 0: no clipping. */
  readonly clip?: number;
  /** Standard deviation of the parameters that it begins with; default 0: the untouched model. */
  readonly turned?: number;
  /** Segments of recomputation; default 1: none. */
  readonly segments?: number;
  /** Changes the feeds of a micro-batch. */
  readonly alter?: (feeds: Tensors, micro: number) => Tensors;
}

export interface FirstUpdate {
  readonly loss: number;
  readonly gradNorm: number;
  readonly finite: boolean;
  /** After clipping; as the first moment has it. */
  readonly gradient: Float32Array;
  /** State after the update. */
  readonly state: Readonly<Record<string, Float32Array>>;
  readonly evaluation: TaskEvaluation;
}

const betas = [0.9, 0.99] as const;

/** Throws if the data hold an error. */
export async function firstUpdate(run: UpdateRun): Promise<FirstUpdate> {
  const { task, job, turned = 0, segments = 1, alter = (given: Tensors): Tensors => given } = run;
  const bench = await taskBench(run.decodeImage);
  try {
    const model = await task.open(run.model, openWhole(run.model), job);
    const prepared = await model.prepare(run.train, run.heldout ?? null, bench.host);
    const error = prepared.problems.find((p) => p.severity === 'error');
    if (error) throw new Error(`${error.item}: ${error.message}`);
    await prepared.warm(bench.host);
    const { accumulate } = job.train;
    const { graph, layers, loss, whole = [] } = prepared.training(prepared.variant?.(0));
    const layout = parameterLayout(
      planLayers(layers, run.plan).planned,
      whole.map((name) => ({ name, shape: graph.constants.get(name)!.shape })),
    );
    const optimiser = { betas, eps: 1e-8, weightDecay: 0, clip: run.clip ?? 0, accumulate } as const;
    const program = compileTraining({
      graph,
      layout,
      loss,
      optimiser: { ...optimiser, blockwiseRate: false },
    });
    const step = await bench.load(withRecomputation(program, segments));
    const { theta } = await step.readState();
    const noise = random(0, 'turned', 0).normal(theta!.length);
    const start = theta!.map((x, i) => x + turned * noise[i]!);
    await step.writeState(withInverses(layout, { theta: start }));
    const evaluation = await prepared.evaluate(bench.adapted(layout, start), bench.host, () => undefined);
    let out: Tensors = {};
    for (let micro = 0; micro < accumulate; micro++) {
      const schedule = scheduleTensor(0.01, betas, 1, micro === accumulate - 1);
      const feeds = alter(await prepared.feeds(0, micro), micro);
      out = await step.run({ ...feeds, ...ownFeeds(program.feeds, { schedule }) }, [
        'loss',
        'grad_norm',
        'finite',
      ]);
    }
    const state = await step.readState();
    return {
      loss: Number(out['loss']![0]),
      gradNorm: Number(out['grad_norm']![0]),
      finite: Number(out['finite']![0]) === 1,
      gradient: state['m']!.map((x) => x / (1 - betas[0])),
      state,
      evaluation,
    };
  } finally {
    await bench.dispose();
  }
}
