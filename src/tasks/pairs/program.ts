/** @file An image-to-image model at a batch: picture in, picture out, the loss between. */
import type { Builder } from '#src/graph/builder.ts';
import { apart } from '#src/graph/names.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { ModelError } from '#src/onnx/model.ts';
import { builder } from '#src/ops/table.ts';
import { batchLoss, exampleLosses } from '#src/tasks/generic/losses.ts';
import { layersOf, shownValue, withOutput } from '#src/tasks/generic/model.ts';
import { bindPictures, type PictureInput } from '#src/tasks/images/pictureInput.ts';
import type { PixelLayout } from '#src/tasks/images/tensor.ts';
import type { ModelFile, TrainedGraph } from '#src/tasks/types.ts';
import type { PairsOptions } from './info.ts';

export interface PictureProgram {
  readonly graph: Graph;
  readonly output: Value;
  /** Of the output, and so of the targets. */
  readonly layout: PixelLayout;
  readonly size: { readonly width: number; readonly height: number };
  /** Feed of the target, shaped like the output. */
  readonly target: string;
  readonly trained: TrainedGraph;
  /** Outputs: the picture, then the loss of each example [B]. */
  readonly judging: () => Graph;
}

/** Throws GraphError or ModelError in words where the model makes no pictures. */
export function pictureProgram(
  file: ModelFile,
  input: PictureInput,
  batch: number,
  size: { readonly width: number; readonly height: number },
  options: PairsOptions,
): PictureProgram {
  const graph = withOutput(bindPictures(file, input, batch, size), options.output, file.path);
  const axis = input.order === 'NCHW' ? 1 : 3;
  const fits = (v: Value): boolean =>
    v.type === 'float32' && v.shape.length === 4 && (v.shape[axis] === 1 || v.shape[axis] === 3);
  const output = graph.outputs.find(fits);
  if (!output)
    throw new ModelError(
      `${file.path} has no output of pictures (float32, of 1 or 3 channels); its outputs are ${graph.outputs.map(shownValue).join(', ')}.`,
    );
  const target = apart('target', graph.values.keys());
  const losses = (g: Builder, prediction: Value): ReturnType<typeof exampleLosses> =>
    exampleLosses(g, options.loss, prediction, g.input(target, 'float32', prediction.shape), {
      delta: options.delta,
    });
  const [height, width] = input.order === 'NCHW' ? output.shape.slice(2) : output.shape.slice(1);
  return {
    graph,
    output,
    layout: { channels: output.shape[axis]!, order: input.order },
    size: { width: width!, height: height! },
    target,
    trained: {
      graph,
      layers: layersOf(graph, file),
      loss: (g, outputs) => batchLoss(g, losses(g, outputs.get(output.name)!)),
    },
    judging: () => {
      const g = builder(graph);
      const prediction = g.value(output.name);
      return g.build([prediction, g.output(losses(g, prediction).sum, g.fresh('loss'))]);
    },
  };
}
