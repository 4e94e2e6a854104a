/** @file Comparisons, boolean algebra and selection. */
import { intAttr } from '#src/graph/attributes.ts';
import { Contradiction, type ValueType } from '#src/graph/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { broadcastShapes, commonType, nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import { broadcastIndices, foldElementwise, type Scalar } from '../import/folding.ts';
import type { Operator, ShapeContext } from '../types.ts';

const booleans = (ctx: ShapeContext): readonly ValueType[] => {
  const inputs = ctx.inputs.map((_, i) => requiredInput(ctx, i));
  commonType(ctx.node, inputs);
  const shapes = inputs.map((v) => v.shape);
  return [{ type: 'bool', shape: broadcastShapes(ctx.node, shapes) }];
};

const compare = (
  test: (a: number | bigint, b: number | bigint) => boolean,
  rest: Partial<Operator> = {},
): Operator => ({
  shape: booleans,
  grad: 'none',
  fold: foldElementwise(
    () => ({ float: (a, b) => Number(test(a, b)), int: (a, b) => BigInt(test(a, b)) }),
    'bool',
  ),
  webgpu: (_node, [a]) => a?.type !== 'int64' && a?.type !== 'bool' && a?.type !== 'float64',
  ...rest,
});

export const Equal: Operator = compare((a, b) => a === b);
export const Greater: Operator = compare((a, b) => a > b);
export const Less: Operator = compare((a, b) => a < b);
export const GreaterOrEqual: Operator = compare((a, b) => a >= b);
export const LessOrEqual: Operator = compare((a, b) => a <= b);

const boolean = (int: Scalar['int'], rest: Partial<Operator> = {}): Operator => ({
  shape: booleans,
  grad: 'none',
  fold: foldElementwise(() => ({ int }), 'bool'),
  ...rest,
});

export const Not: Operator = boolean((a) => 1n - a);
export const And: Operator = boolean((a, b) => a & b);

/** a ∨ b = ¬(¬a ∧ ¬b). */
export const Or: Operator = boolean((a, b) => a | b, {
  webgpu: () => false,
  lower: (g, _node, inputs) => {
    const [a, b] = inputs.map((v) => g.emit('Not', [v]));
    return [g.emit('Not', [g.emit('And', [a!, b!])])];
  },
});

/** a ⊻ b = ¬(a ∧ b) ∧ ¬(¬a ∧ ¬b). */
export const Xor: Operator = boolean((a, b) => a ^ b, {
  webgpu: () => false,
  lower: (g, _node, inputs) => {
    const [a, b] = inputs.map((v) => g.emit('Not', [v]));
    const both = g.emit('And', inputs);
    return [g.emit('And', [g.emit('Not', [both]), g.emit('Not', [g.emit('And', [a!, b!])])])];
  },
});

/** No lowering: shader compilers may take x = x for true, so that a comparison would not find a NaN on WebGPU. */
export const IsNaN: Operator = {
  shape: (ctx) => [{ type: 'bool', shape: requiredInput(ctx, 0).shape }],
  grad: 'none',
  fold: foldElementwise(() => ({ float: (a) => Number(Number.isNaN(a)) }), 'bool'),
  webgpu: () => false,
};

/** No lowering either, for the same reason. */
export const IsInf: Operator = {
  shape: (ctx) => [{ type: 'bool', shape: requiredInput(ctx, 0).shape }],
  grad: 'none',
  fold: foldElementwise((node) => {
    const [low, high] = [intAttr(node, 'detect_negative', 1), intAttr(node, 'detect_positive', 1)];
    return { float: (a) => Number((a === Infinity && high !== 0) || (a === -Infinity && low !== 0)) };
  }, 'bool'),
  webgpu: () => false,
};

/** Selects: the cotangent is selected too, never multiplied, so a mask of −∞ leaves no NaN behind. */
export const Where: Operator = {
  shape: (ctx) => {
    const [c, a, b] = ctx.inputs.map((_, i) => requiredInput(ctx, i));
    if (c?.type !== 'bool' || !a || !b)
      throw new Contradiction(`${nodeLabel(ctx.node)}: needs a bool condition and two operands.`);
    const type = commonType(ctx.node, [a, b]);
    return [{ type, shape: broadcastShapes(ctx.node, [c.shape, a.shape, b.shape]) }];
  },
  grad: ({ g, inputs: [c], grads: [dy], wants }) => {
    const zero = scalarLike(g, 0, dy!);
    return [null, wants[1] ? g.where(c!, dy!, zero) : null, wants[2] ? g.where(c!, zero, dy!) : null];
  },
  fold: (node, [c, a, b]) => {
    if (!c || !a || !b || a.type !== b.type || a.type === 'int4' || a.type === 'uint4') return undefined;
    const shape = broadcastShapes(node, [c.shape, a.shape, b.shape]);
    const [ci, ai, bi] = [c, a, b].map((t) => broadcastIndices(t.shape, shape));
    const data = new (a.data.constructor as Float32ArrayConstructor)(ci!.length);
    for (let i = 0; i < ci!.length; i++)
      data[i] = (c.data[ci![i]!] ? a.data[ai![i]!] : b.data[bi![i]!]) as number;
    return [{ type: a.type, shape, data } satisfies Tensor];
  },
};
