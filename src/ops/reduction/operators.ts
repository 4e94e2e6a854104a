/** @file Reductions over axes. */
import type { Builder } from '#src/graph/builder.ts';
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import { GraphError, type Shape, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { axisIndex, nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import { signOf } from '../elementwise/pointwise.ts';
import { stagedSum } from './sums.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';

interface Reduction {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
  /** The output's shape. */
  readonly shape: Shape;
  /** The output's shape with the reduced axes kept as 1. */
  readonly kept: Shape;
}

/** The axes (opset 18's input form) of a node that reduces x. Throws GraphError where they are not constant. */
function reductionOf(node: Node, x: { readonly shape: Shape }, axesInput: Tensor | undefined): Reduction {
  const given = node.inputs[1];
  if (given && !axesInput)
    throw new GraphError(
      `${nodeLabel(node)}: the axes are computed at run time. Bind the model's dimensions so that they become constant.`,
    );
  const rank = x.shape.length;
  let axes = axesInput ? numbersOf(axesInput).map((a) => axisIndex(node, a, rank)) : [];
  if (axes.length === 0 && intAttr(node, 'noop_with_empty_axes', 0) === 0) axes = x.shape.map((_, i) => i);
  const keepdims = intAttr(node, 'keepdims', 1) !== 0;
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  return { axes, keepdims, kept, shape: keepdims ? kept : x.shape.filter((_, i) => !axes.includes(i)) };
}

/** Operands of a reduction's rule; dy and y keep the reduced axes as 1. */
interface Reduced {
  readonly g: Builder;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly axes: readonly number[];
  readonly count: number;
  k(value: number): Value;
}

interface Rule {
  readonly grad: (r: Reduced) => Value;
  /** Accumulates on floats: start, step and finish of n elements. */
  readonly fold?: (values: readonly number[]) => number;
  readonly foldInt?: (values: readonly bigint[]) => bigint;
  readonly lower?: (g: Builder, x: Value, r: Reduction) => Value | undefined;
  readonly webgpu?: false;
  /** First opset whose axes are an input. */
  readonly axesInputSince?: number;
}

function foldReduction(rule: Rule, node: Node, [x, axes]: readonly (Tensor | null)[]): Tensor[] | undefined {
  if (!x || (node.inputs[1] && !axes)) return undefined;
  const integer = x.type === 'int64' || x.type === 'int32';
  if (!integer && x.type !== 'float32' && x.type !== 'float64') return undefined;
  if (integer ? !rule.foldInt : !rule.fold) return undefined;
  const r = reductionOf(node, x, axes ?? undefined);
  const strides = x.shape.map((_, i) => sizeOf(x.shape.slice(i + 1)));
  const target = r.kept.map((_, i) => (r.axes.includes(i) ? 0 : sizeOf(r.kept.slice(i + 1))));
  const groups = Array.from({ length: sizeOf(r.kept) }, (): (number | bigint)[] => []);
  for (let i = 0; i < x.data.length; i++) {
    const to = strides.reduce((s, stride, a) => s + (Math.floor(i / stride) % x.shape[a]!) * target[a]!, 0);
    groups[to]!.push(x.data[i]!);
  }
  if (groups.some((v) => v.length === 0)) return undefined;
  const values = integer
    ? groups.map((v) => Number(rule.foldInt!(v.map(BigInt))))
    : groups.map((v) => rule.fold!(v as number[]));
  return [tensor(x.type, r.shape, values)];
}

const reduction = (rule: Rule): Operator => ({
  shape: (ctx: ShapeContext) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: reductionOf(ctx.node, x, ctx.constant(1)).shape }];
  },
  grad: ({ g, node, inputs, outputs, grads, constant }: GradContext) => {
    const x = inputs[0]!;
    const { axes, kept } = reductionOf(node, x, constant(1));
    const y = (): Value => g.reshape(outputs[0]!, kept);
    return [
      rule.grad({
        g,
        x,
        get y() {
          return y();
        },
        dy: g.reshape(grads[0]!, kept),
        axes,
        count: sizeOf(axes.map((i) => x.shape[i]!)),
        k: (v) => scalarLike(g, v, x),
      }),
    ];
  },
  fold: (node, inputs) => foldReduction(rule, node, inputs),
  convert: (node, version, b) => {
    if (version >= (rule.axesInputSince ?? 18)) return node;
    const { axes: _axes, ...attributes } = node.attributes;
    const axes = intsAttr(node, 'axes');
    return { ...node, inputs: axes ? [node.inputs[0]!, b.ints(axes).name] : [node.inputs[0]!], attributes };
  },
  ...(rule.webgpu === false && { webgpu: () => false }),
  ...(rule.lower && {
    lower: (g: Builder, node: Node, inputs: readonly (Value | null)[]) => {
      const y = rule.lower!(g, inputs[0]!, reductionOf(node, inputs[0]!, g.constantValue(inputs[1])));
      return y && [y];
    },
  }),
});

const sum = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0);

export const ReduceSum: Operator = reduction({
  grad: ({ g, x, dy }) => g.expand(dy, x.shape),
  fold: sum,
  foldInt: (v) => v.reduce((a, b) => a + b, 0n),
  axesInputSince: 13,
});

export const ReduceMean: Operator = reduction({
  grad: ({ g, x, dy, count, k }) => g.expand(g.mul(dy, k(1 / count)), x.shape),
  fold: (v) => sum(v) / v.length,
});

/** Elements that tie for the extremum share the cotangent equally, like torch.amax. */
const extremumGrad = ({ g, x, y, dy, axes }: Reduced): Value => {
  const hits = g.cast(g.emit('Equal', [x, y]), x.type);
  return g.mul(hits, g.div(dy, stagedSum(g, hits, axes, true)));
};

export const ReduceMax: Operator = reduction({
  grad: extremumGrad,
  fold: (v) => v.reduce((a, b) => Math.max(a, b)),
  foldInt: (v) => v.reduce((a, b) => (a > b ? a : b)),
});

export const ReduceMin: Operator = reduction({
  grad: extremumGrad,
  fold: (v) => v.reduce((a, b) => Math.min(a, b)),
  foldInt: (v) => v.reduce((a, b) => (a < b ? a : b)),
});

/** ∂y/∂xᵢ = Π_{j≠i} xⱼ, right with zeros too: the product of the others is y/xᵢ, or, for a lone zero, that of the non-zeros. */
export const ReduceProd: Operator = reduction({
  grad: ({ g, x, dy, axes, k }) => {
    if (axes.length === 0) return dy;
    const zero = g.emit('Equal', [x, k(0)]);
    const filled = g.where(zero, k(1), x);
    const product = g.emit('ReduceProd', [filled, g.ints(axes)], { keepdims: 1 });
    const zeros = stagedSum(g, g.cast(zero, x.type), axes, true);
    // Zeros among the other elements: all of them, less the element itself.
    const others = g.sub(zeros, g.cast(zero, x.type));
    const slope = g.where(g.emit('Equal', [others, k(0)]), g.div(product, filled), k(0));
    return g.mul(dy, slope);
  },
  fold: (v) => v.reduce((a, b) => a * b, 1),
  foldInt: (v) => v.reduce((a, b) => a * b, 1n),
});

export const ReduceL1: Operator = reduction({
  grad: ({ g, x, dy }) => g.mul(dy, signOf(g, x)),
  fold: (v) => sum(v.map(Math.abs)),
});

/** x / ‖x‖, and 0 where the norm is 0, as in PyTorch. */
export const ReduceL2: Operator = reduction({
  grad: ({ g, x, y, dy, k }) => {
    const positive = g.emit('Greater', [y, k(0)]);
    return g.mul(x, g.where(positive, g.div(dy, g.where(positive, y, k(1))), k(0)));
  },
  fold: (v) => Math.hypot(...v),
});

export const ReduceSumSquare: Operator = reduction({
  grad: ({ g, x, dy, k }) => g.mul(x, g.mul(dy, k(2))),
  fold: (v) => sum(v.map((x) => x * x)),
});

/** y = ln Σ x, so ∂y/∂xᵢ = e^(−y). */
export const ReduceLogSum: Operator = reduction({
  grad: ({ g, x, y, dy }) => g.expand(g.mul(dy, g.exp(g.neg(y))), x.shape),
  fold: (v) => Math.log(sum(v)),
});

/** ∂y/∂xᵢ = e^(xᵢ − y). WebGPU's kernel does not subtract the maximum, so it is lowered: m + ln Σ e^(x−m). */
export const ReduceLogSumExp: Operator = reduction({
  grad: ({ g, x, y, dy }) => g.mul(dy, g.exp(g.sub(x, y))),
  fold: (v) => {
    const m = v.reduce((a, b) => Math.max(a, b));
    return Number.isFinite(m) ? m + Math.log(sum(v.map((x) => Math.exp(x - m)))) : m;
  },
  webgpu: false,
  lower: (g, x, { axes, shape }) => {
    if (axes.length === 0) return undefined;
    const m = g.emit('ReduceMax', [x, g.ints(axes)], { keepdims: 1 });
    // A finite stand-in: rows of −∞ stay −∞ instead of NaN.
    const safe = g.emit('Max', [m, scalarLike(g, x.type === 'float16' ? -6e4 : -3e38, x)]);
    const total = stagedSum(g, g.exp(g.sub(x, safe)), axes, true);
    return g.reshape(g.add(safe, g.log(total)), shape);
  },
});
