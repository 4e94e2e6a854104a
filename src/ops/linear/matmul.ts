/** @file MatMul: batched products with numpy's broadcasting and 1-D operands. */
import type { Builder } from '#src/graph/builder.ts';
import { Contradiction, GraphError, type Shape, type Value } from '#src/graph/types.ts';
import { broadcastShapes, commonType, nodeLabel, requiredInput } from '../entries/common.ts';
import type { GradContext, Operator } from '../types.ts';

const flatRows = (shape: Shape): number => shape.slice(0, -1).reduce((n, d) => n * d, 1);

/**
 * Gradient of a·b for matrices of rank ≥ 2: ā = ȳ·bᵀ, b̄ = aᵀ·ȳ.
 *
 * Against a 2-D b (a layer's weight) both are one Gemm over the flattened rows: b̄ then needs no sum over the batch. On wasm the Gemm
 * with transB costs what Transpose + MatMul costs (±10 %), and keeps the weight untouched. Elsewhere onnxruntime fuses the Transpose
 * into the product.
 */
function matrixGradient(
  g: Builder,
  a: Value,
  b: Value,
  dy: Value,
  wants: readonly boolean[],
): (Value | null)[] {
  if (b.shape.length === 2) {
    const rows = g.reshape(dy, [flatRows(dy.shape), dy.shape.at(-1)!]);
    return [
      wants[0] ? g.reshape(g.emit('Gemm', [rows, b], { transB: 1 }), a.shape) : null,
      wants[1]
        ? g.emit('Gemm', [g.reshape(a, [flatRows(a.shape), a.shape.at(-1)!]), rows], { transA: 1 })
        : null,
    ];
  }
  return [wants[0] ? g.matMul(dy, g.mT(b)) : null, wants[1] ? g.matMul(g.mT(a), dy) : null];
}

function gradient({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] {
  const [a, b] = inputs as [Value, Value];
  const rowVector = a.shape.length === 1;
  const columnVector = b.shape.length === 1;
  const a2 = rowVector ? g.reshape(a, [1, a.shape[0]!]) : a;
  const b2 = columnVector ? g.reshape(b, [b.shape[0]!, 1]) : b;
  const batch = broadcastShapes(node, [a2.shape.slice(0, -2), b2.shape.slice(0, -2)]);
  const dy = g.reshape(grads[0]!, [...batch, a2.shape.at(-2)!, b2.shape.at(-1)!]);
  const [da, db] = matrixGradient(g, a2, b2, dy, wants) as [Value | null, Value | null];
  // A promoted operand's gradient may still carry the other's batch axes: those are summed before the unit axis is dropped.
  return [da && rowVector ? dropUnitAxis(g, da, -2) : da, db && columnVector ? dropUnitAxis(g, db, -1) : db];
}

function dropUnitAxis(g: Builder, v: Value, axis: -1 | -2): Value {
  const shape = [...v.shape];
  shape.splice(shape.length + axis, 1);
  return g.reshape(v, shape);
}

export const MatMul: Operator = {
  shape: (ctx) => {
    const a = requiredInput(ctx, 0);
    const b = requiredInput(ctx, 1);
    const type = commonType(ctx.node, [a, b]);
    if (a.shape.length === 0 || b.shape.length === 0)
      throw new GraphError(`${nodeLabel(ctx.node)}: a scalar has no matrix product; use Mul.`);
    const a2 = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
    const b2 = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
    if (a2.at(-1) !== b2.at(-2))
      throw new Contradiction(
        `${nodeLabel(ctx.node)}: shapes [${a.shape.join()}] and [${b.shape.join()}] do not fit: ${a2.at(-1)} columns meet ${b2.at(-2)} rows.`,
      );
    const batch = broadcastShapes(ctx.node, [a2.slice(0, -2), b2.slice(0, -2)]);
    const shape = [
      ...batch,
      ...(a.shape.length === 1 ? [] : [a2.at(-2)!]),
      ...(b.shape.length === 1 ? [] : [b2.at(-1)!]),
    ];
    return [{ type, shape }];
  },
  grad: gradient,
};
