/** @file What tests and benchmarks train by where they do not care: an optimiser, and losses of whatever comes out. */
import type { Builder } from '#src/graph/builder.ts';
import { GraphError, type Value } from '#src/graph/types.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import type { OptimiserOptions } from '../training.ts';

export const plainOptimiser: OptimiserOptions = {
  betas: [0.9, 0.99],
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
  accumulate: 1,
  blockwiseRate: false,
};

type Outputs = ReadonlyMap<string, Value>;

const firstFloats = (outputs: Outputs): Value => {
  const found = [...outputs.values()].find((v) => v.type === 'float32');
  if (!found) throw new GraphError('no float output');
  return found;
};

const meanSquareOf = (g: Builder, x: Value): LossSum =>
  meanOver(
    g,
    g.reduceMean(
      g.mul(x, x),
      x.shape.map((_, i) => i),
    ),
  );

/** Of the first output of floats. */
export const meanSquare = (g: Builder, outputs: Outputs): LossSum => meanSquareOf(g, firstFloats(outputs));

/** The same of its distance from the feed "target". */
export function squaredError(g: Builder, outputs: Outputs): LossSum {
  const y = firstFloats(outputs);
  return meanSquareOf(g, g.sub(y, g.input('target', 'float32', y.shape)));
}
