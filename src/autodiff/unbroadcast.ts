/** @file Sums a cotangent over the axes along which its value was broadcast. */
import type { Builder } from '#src/graph/builder.ts';
import { reportIt, GraphError, type Shape, type Value } from '#src/graph/types.ts';
import { stagedSum } from '#src/ops/reduction/sums.ts';

/** `grad`, of a shape that `target` broadcasts to, summed down to target's shape. */
export function unbroadcast(
  g: Builder,
  grad: Value,
  target: { readonly name: string; readonly shape: Shape },
): Value {
  const extra = grad.shape.length - target.shape.length;
  const axes: number[] = [];
  grad.shape.forEach((d, i) => {
    const t = i < extra ? 1 : target.shape[i - extra]!;
    if (t === 1 && (d !== 1 || i < extra)) axes.push(i);
    else if (t !== d)
      throw new GraphError(
        `A gradient of shape [${grad.shape.join()}] does not fit ${target.name} of shape [${target.shape.join()}].`,
        { cure: reportIt },
      );
  });
  if (extra < 0)
    throw new GraphError(
      `A gradient of shape [${grad.shape.join()}] has a smaller rank than ${target.name}.`,
      { cure: reportIt },
    );
  if (axes.length === 0) return grad;
  if (axes.every((i) => grad.shape[i] === 1)) return g.reshape(grad, target.shape);
  // Where only added leading axes go, the sum drops them itself.
  if (axes.every((i) => i < extra)) return stagedSum(g, grad, axes);
  return g.reshape(stagedSum(g, grad, axes, true), target.shape);
}
