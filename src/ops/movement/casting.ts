/** @file Operators that pass their input on: Cast, CastLike, Identity, Dropout at inference. */
import { intAttr } from '#src/graph/attributes.ts';
import { castCodes } from '#src/graph/builder.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { fail, typeOfAttribute } from '../entries/arguments.ts';
import { floatModel } from '../quantised/quantise.ts';
import { requiredInput } from '../entries/common.ts';
import type { GradRule, Operator } from '../types.ts';

const target = (node: Node): DType => typeOfAttribute(node, intAttr(node, 'to', 0));

const isFloat = (type: DType): boolean => /^b?float/.test(type);

/** Values converted as ONNX casts: to integers by truncation, to bool by being non-zero. */
function converted(t: Tensor, to: DType): Tensor | undefined {
  const packed = (type: DType): boolean => type === 'int4' || type === 'uint4' || type === 'string';
  if (packed(t.type) || packed(to)) return undefined;
  const values = numbersOf(t);
  if (to === 'bool')
    return tensor(
      to,
      t.shape,
      values.map((x) => Number(x !== 0)),
    );
  // What a float beyond the integer's range becomes is not defined.
  if (!isFloat(to) && values.some((x) => !Number.isFinite(x))) return undefined;
  return tensor(to, t.shape, isFloat(to) ? values : values.map(Math.trunc));
}

/** Integers want a gradient only where they hold rounded activations: the driver stops at all others. */
const castBack: GradRule = ({ g, node, inputs: [x], grads }) => {
  if (!isFloat(x!.type))
    fail(
      node,
      `a gradient must pass its input ${x!.name}, which holds rounded activations, and rounding has no gradient. ${floatModel}`,
    );
  return [g.cast(grads[0]!, x!.type)];
};

/** The WebGPU provider casts no 64-bit or 8-bit integers. */
const castable = (type: DType): boolean => type !== 'int64' && type !== 'int8' && type !== 'float64';

export const Cast: Operator = {
  shape: (ctx) => [{ type: target(ctx.node), shape: requiredInput(ctx, 0).shape }],
  grad: castBack,
  fold: (node, [x]) => {
    const result = x ? converted(x, target(node)) : undefined;
    return result && [result];
  },
  webgpu: (_, [x], [y]) => castable(x!.type) && castable(y!.type),
};

export const CastLike: Operator = {
  shape: (ctx) => [{ type: requiredInput(ctx, 1).type, shape: requiredInput(ctx, 0).shape }],
  grad: castBack,
  fold: (_, [x, like]) => {
    const result = x && like && converted(x, like.type);
    return result ? [result] : undefined;
  },
  webgpu: () => false,
  lower: (g, _, [x, like]) => [g.emit('Cast', [x!], { to: castCodes[like!.type] })],
};

export const Identity: Operator = {
  shape: (ctx) => [requiredInput(ctx, 0)],
  grad: ({ grads }) => [grads[0]!],
  fold: (_, [x]) => (x ? [x] : undefined),
};

/** Inference: the output is the input, the mask is true everywhere. */
export const Dropout: Operator = {
  shape: (ctx) => {
    const { type, shape } = requiredInput(ctx, 0);
    return [
      { type, shape },
      { type: 'bool', shape },
    ];
  },
  grad: ({ grads }) => [grads[0] ?? null],
  webgpu: () => false,
};
