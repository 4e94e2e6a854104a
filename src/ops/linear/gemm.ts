/** @file Gemm: Y = α·A′·B′ + β·C, where ′ is an optional transpose and C broadcasts to Y. */
import { float, floatAttr, intAttr } from '#src/graph/attributes.ts';
import { Contradiction, GraphError, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { broadcastShapes, commonType, nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import type { GradContext, Operator } from '../types.ts';

const flags = (node: Node): { transA: boolean; transB: boolean; alpha: number; beta: number } => ({
  transA: intAttr(node, 'transA', 0) !== 0,
  transB: intAttr(node, 'transB', 0) !== 0,
  alpha: floatAttr(node, 'alpha', 1),
  beta: floatAttr(node, 'beta', 1),
});

/** A′-gradient α·Ȳ·B′ᵀ, B′-gradient α·A′ᵀ·Ȳ, each transposed back where its operand was; C-gradient β·Ȳ. */
function gradient({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] {
  const [a, b, c] = inputs as [Value, Value, Value | null | undefined];
  const dy = grads[0]!;
  const { transA, transB, alpha, beta } = flags(node);
  const product = (x: Value, y: Value, tx: boolean, ty: boolean): Value =>
    g.emit('Gemm', [x, y], {
      alpha: alpha === 1 ? undefined : float(alpha),
      transA: tx ? 1 : undefined,
      transB: ty ? 1 : undefined,
    });
  const da = () => (transA ? product(b, dy, transB, true) : product(dy, b, false, !transB));
  const db = () => (transB ? product(dy, a, true, transA) : product(a, dy, !transA, false));
  return [
    wants[0] ? da() : null,
    wants[1] ? db() : null,
    c && wants[2] ? (beta === 1 ? dy : g.mul(dy, scalarLike(g, beta, dy))) : null,
  ];
}

export const Gemm: Operator = {
  shape: (ctx) => {
    const { node } = ctx;
    const a = requiredInput(ctx, 0);
    const b = requiredInput(ctx, 1);
    const c = ctx.inputs[2];
    const type = commonType(node, c ? [a, b, c] : [a, b]);
    if (a.shape.length !== 2 || b.shape.length !== 2)
      throw new Contradiction(
        `${nodeLabel(node)}: A and B must be matrices, but have shapes [${a.shape.join()}] and [${b.shape.join()}].`,
      );
    const { transA, transB } = flags(node);
    const [m, k] = (transA ? [...a.shape].reverse() : a.shape) as [number, number];
    const [l, n] = (transB ? [...b.shape].reverse() : b.shape) as [number, number];
    if (k !== l)
      throw new GraphError(
        `${nodeLabel(node)}: shapes [${a.shape.join()}] (transA=${Number(transA)}) and [${b.shape.join()}] (transB=${Number(transB)}) do not fit: ${k} columns meet ${l} rows.`,
      );
    if (c && broadcastShapes(node, [[m, n], c.shape]).join() !== [m, n].join())
      throw new Contradiction(
        `${nodeLabel(node)}: C of shape [${c.shape.join()}] does not broadcast to [${m},${n}].`,
      );
    return [{ type, shape: [m, n] }];
  },
  grad: gradient,
};
