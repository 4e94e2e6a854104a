/** @file The diffusion loss as graph. */
import type { Builder } from '#src/graph/builder.ts';
import { reportIt, GraphError, type Value } from '#src/graph/types.ts';
import type { LossSum } from '#src/optim/loss.ts';

/**
 * w·(mean of a sample's (prediction − target)²), over the number of samples: weights do not count, as in diffusers' and kohya's min-SNR, and pictures of all sizes
 * count alike. Axes are averaged one at a time, the last first: the runtimes add in float32 in a plain running sum, which over all elements at
 * once would lose digits.
 *
 * @param prediction [B, …] float32
 * @param target like prediction
 * @param weight [B], one per sample; null: all 1
 */
export function diffusionLoss(g: Builder, prediction: Value, target: Value, weight: Value | null): LossSum {
  const text = (v: Value): string => `[${v.shape.join()}]`;
  if (text(prediction) !== text(target))
    throw new GraphError(
      `The model's output ${text(prediction)} and the target ${text(target)} differ in shape.`,
      { cure: 'Export the UNet with an output shaped like its images.' },
    );
  const difference = g.sub(prediction, target);
  let mean = g.mul(difference, difference);
  while (mean.shape.length > 1) mean = g.reduceMean(mean, [mean.shape.length - 1]);
  if (weight) {
    if (text(weight) !== text(mean))
      throw new GraphError(`The loss takes one weight per sample ${text(mean)}, not ${text(weight)}.`, {
        cure: reportIt,
      });
    mean = g.mul(mean, weight);
  }
  return { sum: g.reduceSum(mean, [0]), count: g.scalar(mean.shape[0]!) };
}
