/** @file Weights stored as small integers: DequantizeLinear and its inverses. */
import type { Builder } from '#src/graph/builder.ts';
import { intAttr } from '#src/graph/attributes.ts';
import { GraphError, type Value, type ValueType } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { fail, padAxis, typeOfAttribute } from '../entries/arguments.ts';
import { axisIndex, nodeLabel, requiredInput } from '../entries/common.ts';
import { stagedSum } from '../reduction/sums.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';

/** How scales lie over a tensor: one for all, one per index of an axis, or one per block along an axis. */
type Granularity =
  | { readonly kind: 'tensor' }
  | { readonly kind: 'axis'; readonly axis: number }
  | { readonly kind: 'blocks'; readonly axis: number; readonly size: number };

/** Reads and checks the layout of the scales. Throws GraphError where their shape does not fit. */
function granularity(node: Node, x: ValueType, scale: ValueType): Granularity {
  const misfit = (): never =>
    fail(
      node,
      `scales of shape [${scale.shape.join()}] do not fit a tensor of shape [${x.shape.join()}]. The file is damaged; export the model again.`,
    );
  const rank = scale.shape.length;
  const size = intAttr(node, 'block_size', 0);
  // One number is for all, whatever the axis: so ONNX Runtime takes it, and so quantisers write a bias of one element.
  if (rank === 0 || (rank === 1 && scale.shape[0] === 1 && size === 0)) return { kind: 'tensor' };
  const axis = axisIndex(node, intAttr(node, 'axis', 1), x.shape.length);
  if (rank === 1) return scale.shape[0] === x.shape[axis] ? { kind: 'axis', axis } : misfit();
  const fits =
    size > 0 &&
    rank === x.shape.length &&
    scale.shape.every((d, i) => d === (i === axis ? Math.ceil(x.shape[i]! / size) : x.shape[i]));
  return fits ? { kind: 'blocks', axis, size } : misfit();
}

/** Sums a tensor of x's shape down to one number per scale. */
function perScale(g: Builder, layout: Granularity, v: Value, scale: Value): Value {
  const all = v.shape.map((_, i) => i);
  if (layout.kind === 'tensor') return g.reshape(stagedSum(g, v, all), scale.shape);
  const { axis } = layout;
  if (layout.kind === 'axis')
    return stagedSum(
      g,
      v,
      all.filter((i) => i !== axis),
    );
  const blocks = scale.shape[axis]!;
  const whole = padAxis(g, v, axis, 0, blocks * layout.size - v.shape[axis]!);
  const cut = [...v.shape.slice(0, axis), blocks, layout.size, ...v.shape.slice(axis + 1)];
  return g.reduceSum(g.reshape(whole, cut), [axis + 1]);
}

/**
 * y = (x − z)·s, so s̄ = Σ ȳ·(x − z), which is the node again with scales of one. Where x itself would want a gradient, activations are
 * rounded on their way, and an error says so.
 */
function dequantiseGrad({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] {
  const [x, scale, zero] = inputs as [Value, Value, Value | null | undefined];
  if (wants[0])
    throw new GraphError(
      `${nodeLabel(node)}: a gradient must pass its input ${x.name}, which holds rounded activations, and rounding has no gradient. ${floatModel}`,
    );
  if (!wants[1]) return [];
  const ones = g.expand(g.cast(g.scalar(1), scale.type), scale.shape);
  const steps = g.emit('DequantizeLinear', [x, ones, zero ?? null], {
    axis: node.attributes.axis,
    block_size: node.attributes.block_size,
  });
  return [null, perScale(g, granularity(node, x, scale), g.mul(grads[0]!, steps), scale)];
}

export const floatModel =
  'Use the float model, or one whose weights alone are quantised (DequantizeLinear before MatMul or Conv, or MatMulNBits).';

/** Integers that the WebGPU provider dequantises. */
const onDevice: readonly DType[] = ['int8', 'uint8', 'int4', 'uint4', 'int32'];

const dequantiseShape = (ctx: ShapeContext): readonly ValueType[] => {
  const x = requiredInput(ctx, 0);
  const scale = requiredInput(ctx, 1);
  granularity(ctx.node, x, scale);
  const zero = ctx.inputs[2];
  const one = (v: Value): boolean => v.shape.join() === '' || v.shape.join() === '1';
  const alike = (v: Value): boolean => v.shape.join() === scale.shape.join() || (one(v) && one(scale));
  if (zero && (zero.type !== x.type || !alike(zero)))
    fail(
      ctx.node,
      `its zero point is ${zero.type} [${zero.shape.join()}], not ${x.type} [${scale.shape.join()}]. The file is damaged; export the model again.`,
    );
  return [{ type: scale.type, shape: x.shape }];
};

export const DequantizeLinear: Operator = {
  shape: dequantiseShape,
  grad: dequantiseGrad,
  /** From opset 23 the output may have another type than the scales. */
  convert: (node, version, b) => {
    const { output_dtype: to, ...attributes } = node.attributes;
    const plain = { ...node, attributes };
    const scale = b.values.get(node.inputs[1] ?? '');
    if (version < 23 || to?.kind !== 'int' || to.value === 0 || !scale) return plain;
    if (typeOfAttribute(node, to.value) === scale.type) return plain;
    const y = b.append({ ...plain, outputs: [b.fresh(node.op)] })[0]!;
    return { ...node, op: 'Cast', inputs: [y.name], attributes: { to } };
  },
  webgpu: (_, [x]) => onDevice.includes(x!.type),
};

/** The integer type that a node rounds to. */
function roundedType(ctx: ShapeContext): DType {
  const code = intAttr(ctx.node, 'output_dtype', 0);
  return ctx.inputs[2]?.type ?? (code === 0 ? 'uint8' : typeOfAttribute(ctx.node, code));
}

/** Has no rule: a gradient that would have to pass is an error, not zero. */
export const QuantizeLinear: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    granularity(ctx.node, x, requiredInput(ctx, 1));
    return [{ type: roundedType(ctx), shape: x.shape }];
  },
  webgpu: () => false,
};

/** As QuantizeLinear, with scale and zero point from the data's range. */
export const DynamicQuantizeLinear: Operator = {
  shape: (ctx) => [
    { type: 'uint8', shape: requiredInput(ctx, 0).shape },
    { type: 'float32', shape: [] },
    { type: 'uint8', shape: [] },
  ],
  webgpu: () => false,
};
