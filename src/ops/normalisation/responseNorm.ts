/** @file Normalisation by norms and by statistics over given axes, without weights: written out. */
import { floatAttr, intAttr, intsAttr } from '#src/graph/attributes.ts';
import { Contradiction, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { axisIndex, nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import { sameAsInput } from '../elementwise/pointwise.ts';
import { stagedMean, stagedSum } from '../reduction/sums.ts';
import type { Operator } from '../types.ts';
import { taps } from '../spatial/unfold.ts';

/** y = x / (bias + α/size · Σ x²)^β, the sum over `size` neighbouring channels. */
export const LRN: Operator = {
  shape: (ctx) => {
    if (requiredInput(ctx, 0).shape.length < 3 || intAttr(ctx.node, 'size', 0) < 1)
      throw new Contradiction(
        `${nodeLabel(ctx.node)}: needs an input [batch, channels, spatial …] and a size of 1 or more.`,
      );
    return sameAsInput(ctx);
  },
  expand: (g, node, [x]) => {
    const size = intAttr(node, 'size', 1);
    const channels = x!.shape[1]!;
    const window = {
      input: channels,
      output: channels,
      kernel: size,
      stride: 1,
      dilation: 1,
      begin: Math.floor((size - 1) / 2),
      end: Math.ceil((size - 1) / 2),
    };
    const sum = taps(g, g.mul(x!, x!), 1, window).reduce((a, b) => g.add(a, b));
    const k = (v: number): Value => scalarLike(g, v, x!);
    const scale = k(floatAttr(node, 'alpha', 1e-4) / size);
    const base = g.add(g.mul(sum, scale), k(floatAttr(node, 'bias', 1)));
    return [g.mul(x!, g.emit('Pow', [base, k(-floatAttr(node, 'beta', 0.75))]))];
  },
};

const statisticsAxes = (node: Node, rank: number): number[] =>
  (intsAttr(node, 'axes') ?? [0, 2, 3]).map((a) => axisIndex(node, a, rank));

/** (x − mean)/(σ + 10⁻⁹) over the axes. */
export const MeanVarianceNormalization: Operator = {
  shape: (ctx) => {
    statisticsAxes(ctx.node, requiredInput(ctx, 0).shape.length);
    return sameAsInput(ctx);
  },
  expand: (g, node, [x]) => {
    const axes = statisticsAxes(node, x!.shape.length);
    const centred = g.sub(x!, stagedMean(g, x!, axes, true));
    const variance = stagedMean(g, g.mul(centred, centred), axes, true);
    // 10⁻¹⁸ under the root instead of 10⁻⁹ beside it: where the variance is 0, the slope stays finite.
    return [g.div(centred, g.sqrt(g.add(variance, scalarLike(g, 1e-18, x!))))];
  },
};

/** x/‖x‖ₚ along an axis, p = 1 or 2; zeros stay zeros. */
export const LpNormalization: Operator = {
  shape: (ctx) => {
    axisIndex(ctx.node, intAttr(ctx.node, 'axis', -1), requiredInput(ctx, 0).shape.length);
    const p = intAttr(ctx.node, 'p', 2);
    if (p !== 1 && p !== 2) throw new Contradiction(`${nodeLabel(ctx.node)}: p must be 1 or 2, not ${p}.`);
    return sameAsInput(ctx);
  },
  expand: (g, node, [x]) => {
    const axis = axisIndex(node, intAttr(node, 'axis', -1), x!.shape.length);
    const norm =
      intAttr(node, 'p', 2) === 1
        ? stagedSum(g, g.emit('Abs', [x!]), [axis], true)
        : g.emit('ReduceL2', [x!, g.ints([axis])], { keepdims: 1 });
    const positive = g.emit('Greater', [norm, scalarLike(g, 0, x!)]);
    return [g.div(x!, g.where(positive, norm, scalarLike(g, 1, x!)))];
  },
};
