/** @file Trains a task in Node on wasm, with no worker and no page: for tests of tasks. */
import { sha256 } from '#src/platform/sha256.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { externalFiles, loadExternal } from '#src/onnx/external.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { type Layout, parameterLayout } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Plan } from '#src/oft/types.ts';
import { ownFeeds } from '#src/program/names.ts';
import { plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining } from '#src/program/training.ts';
import { LossWatch, type Trouble } from '#src/training/watch.ts';
import type { FileSet } from '../files.ts';
import type {
  Adapted,
  OpenModel,
  PreparedTask,
  Samples,
  Task,
  TaskEvaluation,
  TaskHost,
  TaskJob,
  TaskModel,
} from '../types.ts';
import { taskBench } from './bench.ts';

export interface TaskRun {
  readonly task: Task;
  readonly model: FileSet;
  readonly train: FileSet;
  readonly heldout?: FileSet | null;
  readonly job: TaskJob;
  readonly plan: Plan;
  readonly learningRate: number;
  readonly decodeImage?: TaskHost['decodeImage'];
}

export interface TaskRunResult {
  readonly model: TaskModel;
  readonly prepared: PreparedTask;
  readonly layout: Layout;
  readonly theta: Float32Array;
  readonly losses: readonly number[];
  /** What would be said of its losses while it runs. */
  readonly troubles: readonly Trouble[];
  readonly before: TaskEvaluation;
  readonly after: TaskEvaluation;
  readonly samplesBefore: Samples;
  readonly samplesAfter: Samples;
}

/** Opens ONNX files of a set whole. */
export const openWhole =
  (files: FileSet): OpenModel =>
  async (path) => {
    const bytes = await files.read(path);
    const model = decodeModel(bytes);
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const external = new Map<string, Uint8Array>();
    for (const location of externalFiles(model)) external.set(location, await files.read(folder + location));
    return {
      path,
      model: external.size > 0 ? loadExternal(model, external) : model,
      hash: await sha256(bytes),
      bytes: bytes.byteLength,
    };
  };

const still = (): void => undefined;

/** Opens, prepares, judges, trains with AdamW at a constant rate, and judges again. Throws if the data hold an error. */
export async function trainTask(run: TaskRun): Promise<TaskRunResult> {
  const { task, job } = run;
  const bench = await taskBench(run.decodeImage);
  const { host } = bench;
  try {
    const model = await task.open(run.model, openWhole(run.model), job);
    const prepared = await model.prepare(run.train, run.heldout ?? null, host);
    const error = prepared.problems.find((p) => p.severity === 'error');
    if (error) throw new Error(`${error.item}: ${error.message}`);
    const { graph, layers, loss, whole = [] } = prepared.training();
    const { planned } = planLayers(layers, run.plan);
    const layout = parameterLayout(
      planned,
      whole.map((name) => ({ name, shape: graph.constants.get(name)!.shape })),
    );
    const optimiser = { ...plainOptimiser, accumulate: job.train.accumulate };
    const program = compileTraining({ graph, layout, loss, optimiser });
    const steps = [await bench.load(program)];
    let step = steps[0]!;
    /** The state goes over to the program of the shape. */
    const use = async (variant: number): Promise<void> => {
      const state = await step.readState();
      steps[variant] ??= await bench.load(
        compileTraining({ ...prepared.training(variant), layout, optimiser }),
      );
      step = steps[variant];
      await step.writeState(state);
    };
    const adapted = (theta: Float32Array): Adapted => bench.adapted(layout, theta);
    await prepared.warm(host);
    const { theta: untouched } = await step.readState();
    const before = await prepared.evaluate(adapted(untouched!), host, still);
    const samplesBefore = await prepared.samples(adapted(untouched!), host, still);
    const losses: number[] = [];
    for (let k = 0; k < job.train.steps; k++) {
      let loss = NaN;
      for (let micro = 0; micro < job.train.accumulate; micro++) {
        const schedule = scheduleTensor(
          run.learningRate,
          optimiser.betas,
          k + 1,
          micro === job.train.accumulate - 1,
        );
        const feeds = { ...(await prepared.feeds(k, micro)), ...ownFeeds(program.feeds, { schedule }) };
        if (prepared.variant) await use(prepared.variant(k));
        const out = await step.run(feeds, ['loss']);
        loss = Number(out['loss']![0]);
      }
      losses.push(loss);
    }
    const { theta } = await step.readState();
    const after = await prepared.evaluate(adapted(theta!), host, still);
    const samplesAfter = await prepared.samples(adapted(theta!), host, still);
    const { learningRate } = run;
    const guess = prepared.guess ?? null;
    const watch = new LossWatch({ learningRate, usualRate: learningRate, guess, warmup: 0 });
    return {
      model,
      prepared,
      layout,
      theta: theta!,
      losses,
      troubles: losses.flatMap((loss) => watch.note(loss) ?? []),
      before,
      after,
      samplesBefore,
      samplesAfter,
    };
  } finally {
    await bench.dispose();
  }
}
