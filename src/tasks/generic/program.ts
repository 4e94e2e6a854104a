/** @file Model and loss at the shapes that the data have. */
import type { Builder } from '#src/graph/builder.ts';
import { apart } from '#src/graph/names.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { ModelError } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { builder } from '#src/ops/table.ts';
import { scoresOf } from '#src/tasks/scores/scores.ts';
import type { ModelFile, TrainedGraph } from '#src/tasks/types.ts';
import type { Roles } from './roles.ts';
import type { GenericOptions } from './info.ts';
import { batchLoss, classAxis, type ExampleLosses, exampleLosses } from './losses.ts';
import { bindModel, layersOf, shownValue } from './model.ts';

/** Feed of the target; longer where the model has a value of that name. */
const TARGET = 'target';

export interface ArrayProgram {
  readonly graph: Graph;
  readonly output: Value;
  /** The loss is the model's own output. */
  readonly own: boolean;
  /** Name, shape and type of what the target is fed as; null: none. */
  readonly target: Value | null;
  readonly trained: TrainedGraph;
  /** Loss of a guess: ln of the classes, or of yes and no; null: none. */
  readonly guess: number | null;
  /** What the loss takes, where that is not the output as it is; null: it is. */
  readonly scores: string | null;
  /** Outputs loss_sum and loss_weight, both [B], or loss [] of the model's own. */
  readonly judging: () => Graph;
  /** The same for a batch of fewer rows; null where the model takes none. */
  readonly judgingRest: (rows: number) => Graph | null;
}

/**
 * @param shapes of a whole batch, by array
 * @param integers the target array holds integers (labels)
 * @throws GraphError or ModelError in words where model, arrays and loss do not fit
 */
export function arrayProgram(
  file: ModelFile,
  roles: Roles,
  shapes: ReadonlyMap<string, readonly number[]>,
  integers: boolean,
  options: GenericOptions,
): ArrayProgram {
  const fed = new Map([...roles.inputs].map(([input, array]) => [input, shapes.get(array)!]));
  const graph = bindModel(file, fed);
  const floats = graph.outputs.filter((o) => o.type === 'float32');
  const own = options.loss === 'model';
  const output =
    options.output === ''
      ? floats.find((o) => !own || sizeOf(o.shape) === 1)
      : floats.find((o) => o.name === options.output);
  if (!output)
    throw new ModelError(
      `${file.path} has no ${own ? 'output of one float32 number' : `float32 output${options.output === '' ? '' : ` "${options.output}"`}`}; its outputs are ${graph.outputs.map(shownValue).join(', ')}.`,
    );
  if (own && sizeOf(output.shape) !== 1)
    throw new ModelError(
      `The output ${shownValue(output)} of ${file.path} is no loss: a loss is one number. Choose an output that is, or another loss.`,
    );
  // Labels are integers, or lack the axis of the classes: then whole numbers are labels, too.
  const labelled = (array: string): boolean =>
    options.loss === 'cross_entropy' && (integers || shapes.get(array)!.length < output.shape.length);
  const name = apart(TARGET, graph.values.keys());
  const target: Value | null =
    roles.target === null || own
      ? null
      : {
          name,
          shape: shapes.get(roles.target)!,
          type: labelled(roles.target) ? 'int32' : 'float32',
        };
  const named = options.loss;
  // These two take scores before a softmax or a sigmoid, whatever the file ends in.
  const labels = target?.type === 'int32' ? classAxis(output.shape, target.shape) : output.shape.length - 1;
  const found =
    named === 'cross_entropy' && labels >= 0
      ? scoresOf(graph, output, labels)
      : named === 'bce'
        ? scoresOf(graph, output, null)
        : null;
  if (found && named === 'cross_entropy' && output.shape[labels] === 1)
    throw new ModelError(
      `The loss cross_entropy tells classes apart, but ${shownValue(output)} has one score for each answer. Use bce, for yes and no.`,
    );
  const guess = !found ? null : Math.log(named === 'bce' ? 2 : output.shape[labels]!);
  const judged = found ?? { graph, value: output, scale: 'logits' as const };
  const losses = (g: Builder, prediction: Value): ExampleLosses =>
    exampleLosses(
      g,
      named === 'model' ? 'mse' : named,
      prediction,
      g.input(target!.name, target!.type, target!.shape),
      { delta: options.delta, scale: judged.scale },
    );
  // What the model's own loss is a mean of is not known: batches, which hold equally many examples, weigh alike.
  const loss = (g: Builder, prediction: Value): LossSum =>
    own ? meanOver(g, g.reshape(prediction, [])) : batchLoss(g, losses(g, prediction));
  // Shapes that do not fit come out here, not when training begins.
  loss(builder(judged.graph), judged.value);
  const judging = (): Graph => {
    const g = builder(judged.graph);
    const prediction = g.value(judged.value.name);
    if (own) return g.build([g.output(g.reshape(prediction, []), g.fresh('loss'))]);
    const { sum, weight } = losses(g, prediction);
    return g.build([
      g.output(sum, g.fresh('loss_sum')),
      ...(weight ? [g.output(weight, g.fresh('loss_weight'))] : []),
    ]);
  };
  const judgingRest = (rows: number): Graph | null => {
    const fewer = new Map([...shapes].map(([name, [, ...shape]]) => [name, [rows, ...shape]]));
    try {
      return arrayProgram(file, roles, fewer, integers, options).judging();
    } catch (error) {
      if (isWording(error)) return null;
      throw error;
    }
  };
  const layers = layersOf(graph, file);
  const trained: TrainedGraph = {
    graph: judged.graph,
    layers,
    loss: (g, outputs) => loss(g, outputs.get(judged.value.name)!),
  };
  const scores = found?.words ?? null;
  return { graph, output, own, target, trained, scores, guess, judging, judgingRest };
}

/** Whether an error says in words what does not fit. */
export const isWording = (error: unknown): error is GraphError | ModelError =>
  error instanceof GraphError || error instanceof ModelError;
