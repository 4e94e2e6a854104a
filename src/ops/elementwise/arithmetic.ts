/** @file Arithmetic: sums, products, powers, roots, extrema and rounding. */
import { roundEven } from '#src/platform/roundEven.ts';
import type { Builder } from '#src/graph/builder.ts';
import { intAttr, floatAttr } from '#src/graph/attributes.ts';
import { type Value } from '#src/graph/types.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { broadcastShapes, requiredInput, scalarLike } from '../entries/common.ts';
import { foldElementwise, type Scalar } from '../import/folding.ts';
import { broadcastInputs, sameAsInput, signOf, unary } from './pointwise.ts';
import type { GradContext, GradRule, Operator } from '../types.ts';

const binary = (grad: GradRule, fold: Scalar, rest: Partial<Operator> = {}): Operator => ({
  shape: broadcastInputs,
  grad,
  fold: foldElementwise(() => fold),
  ...rest,
});

export const Add: Operator = binary(({ grads: [dy] }) => [dy!, dy!], {
  float: (a, b) => a + b,
  int: (a, b) => a + b,
});

export const Sub: Operator = binary(({ g, grads: [dy], wants }) => [dy!, wants[1] ? g.neg(dy!) : null], {
  float: (a, b) => a - b,
  int: (a, b) => a - b,
});

export const Mul: Operator = binary(
  ({ g, inputs: [a, b], grads: [dy], wants }) => {
    if (a!.name === b!.name) {
      const half = g.mul(dy!, a!);
      return [half, half];
    }
    return [wants[0] ? g.mul(dy!, b!) : null, wants[1] ? g.mul(dy!, a!) : null];
  },
  { float: (a, b) => a * b, int: (a, b) => a * b },
);

export const Div: Operator = binary(
  ({ g, inputs: [, b], outputs: [y], grads: [dy], wants }) => {
    const da = g.div(dy!, b!);
    return [da, wants[1] ? g.neg(g.mul(da, y!)) : null];
  },
  { float: (a, b) => a / b, int: (a, b) => (b === 0n ? undefined : a / b) },
);

/**
 * d(aᵇ) = b aᵇ⁻¹ da + aᵇ ln a db. Constant exponents ½, 1, 2 … take their short forms.
 * Like PyTorch: no gradient to a where b = 0, none to b where a = 0 and b ≥ 0.
 */
const powGrad: GradRule = ({ g, inputs, outputs: [y], grads, wants, constant }) => {
  const a = inputs[0]!;
  const b = inputs[1]!;
  const dy = grads[0]!;
  const k = (x: number): Value => scalarLike(g, x, a);
  const base = (): Value => {
    const t = constant(1);
    const half = t?.type === 'float16' || t?.type === 'bfloat16';
    const exponents = t && !half ? new Set(numbersOf(t)) : new Set<number>();
    if (exponents.size === 1) {
      const [c] = exponents as unknown as [number];
      if (c === 0) return g.mul(dy, k(0));
      if (c === 1) return dy;
      if (c === 0.5) return g.div(g.mul(dy, k(0.5)), y!);
      if (c === 2) return g.mul(g.mul(dy, a), k(2));
      if (c === 3) return g.mul(g.mul(dy, k(3)), g.mul(a, a));
      return g.mul(g.mul(dy, k(c)), g.emit('Pow', [a, k(c - 1)]));
    }
    // A cast of a constant is done here: WebGPU has no kernel for int64.
    const known = t && !half && a.type !== 'float16' && a.type !== 'bfloat16';
    const power = known ? g.constant(tensor(a.type, t.shape, numbersOf(t))) : g.cast(b, a.type);
    const slope = g.mul(power, g.emit('Pow', [a, g.sub(power, k(1))]));
    return g.mul(dy, g.where(g.emit('Equal', [power, k(0)]), k(0), slope));
  };
  const exponent = (): Value => {
    // ln of a positive stand-in where a = 0 and b ≥ 0, so that the discarded branch holds no infinity.
    const zero = g.emit('And', [
      g.emit('Equal', [a, k(0)]),
      g.emit('Not', [g.emit('Less', [b, scalarLike(g, 0, b)])]),
    ]);
    return g.mul(dy, g.where(zero, k(0), g.mul(y!, g.log(g.where(zero, k(1), a)))));
  };
  return [wants[0] ? base() : null, wants[1] ? g.cast(exponent(), b.type) : null];
};

export const Pow: Operator = {
  shape: (ctx) => {
    const a = requiredInput(ctx, 0);
    return [{ type: a.type, shape: broadcastShapes(ctx.node, [a.shape, requiredInput(ctx, 1).shape]) }];
  },
  grad: powGrad,
  // WebGPU has no kernel for an exponent of another type, int64 above all.
  lower: (g, _node, [a, b]) => {
    const t = g.constantValue(b);
    if (!t || t.type === a!.type || !['float32', 'float16'].includes(a!.type)) return undefined;
    return [g.emit('Pow', [a!, g.cast(g.constant(tensor('float32', t.shape, numbersOf(t))), a!.type)])];
  },
  webgpu: (_, [a, b]) => a!.type === b!.type,
  fold: (node, [a, b]) => {
    // The exponent may have another type than the base.
    const same =
      a && b && a.type !== b.type && !b.type.endsWith('float16') ? tensor(a.type, b.shape, numbersOf(b)) : b;
    if (a && b && same && numbersOf(b).some((x, i) => x !== Number(same.data[i]) && !a.type.startsWith('f')))
      return undefined;
    return foldElementwise(() => ({
      float: (x, p) => x ** p,
      int: (x, p) => (p < 0n ? undefined : x ** p),
    }))(node, [a ?? null, same ?? null]);
  },
};

/** WebGPU's kernels for one operand take floats alone; integers go by those for two. */
const isInteger = (x: Value): boolean => x.type === 'int32';

export const Neg: Operator = unary(
  ({ g, dy }) => g.neg(dy),
  { float: (a) => -a, int: (a) => -a },
  { lower: (g, _node, [x]) => (isInteger(x!) ? [g.sub(scalarLike(g, 0, x!), x!)] : undefined) },
);

/** The subgradient at 0 is 0. */
export const Abs: Operator = unary(
  ({ g, x, dy }) => g.mul(dy, signOf(g, x)),
  {
    float: (a) => Math.abs(a),
    int: (a) => (a < 0n ? -a : a),
  },
  {
    lower: (g, _node, [x]) =>
      isInteger(x!) ? [g.emit('Max', [x!, g.sub(scalarLike(g, 0, x!), x!)])] : undefined,
  },
);

/** The gradient at 0 is infinite, as in PyTorch: keep an epsilon under the root. */
export const Sqrt: Operator = unary(({ g, y, dy, k }) => g.div(g.mul(dy, k(0.5)), y), {
  float: (a) => Math.sqrt(a),
});

export const Reciprocal: Operator = unary(({ g, y, dy }) => g.neg(g.mul(dy, g.mul(y, y))), {
  float: (a) => 1 / a,
});

/** fmod = 1: remainder with the dividend's sign, d = da − trunc(a/b) db; else the divisor's (integers only). */
export const Mod: Operator = {
  shape: broadcastInputs,
  grad: ({ g, inputs: [a, b], outputs: [y], grads: [dy], wants }) => [
    dy!,
    wants[1] ? g.mul(dy!, g.div(g.sub(y!, a!), b!)) : null,
  ],
  fold: foldElementwise((node) => ({
    float: (a, b) => a % b,
    int: (a, b) => {
      if (b === 0n) return undefined;
      const r = a % b;
      return intAttr(node, 'fmod', 0) === 0 && r !== 0n && r < 0n !== b < 0n ? r + b : r;
    },
  })),
  webgpu: () => false,
  // Integer division truncates, so a − (a/b)·b has the dividend's sign. On floats it would be inexact: those stay on the CPU.
  lower: (g, node, [a, b]) => {
    if (!isInteger(a!)) return undefined;
    const rest = g.sub(a!, g.mul(g.div(a!, b!), b!));
    if (intAttr(node, 'fmod', 0) === 1) return [rest];
    const opposite = g.emit('Less', [g.mul(signOf(g, rest), signOf(g, b!)), scalarLike(g, 0, b!)]);
    return [g.where(opposite, g.add(rest, b!), rest)];
  },
};

export const Floor: Operator = unary('none', { float: (a) => Math.floor(a) });
export const Ceil: Operator = unary('none', { float: (a) => Math.ceil(a) });

export const Round: Operator = unary(
  'none',
  { float: roundEven },
  {
    webgpu: () => false,
    lower: (g, _node, [x]) => {
      const k = (v: number): Value => scalarLike(g, v, x!);
      const low = g.emit('Floor', [x!]);
      const rest = g.sub(x!, low);
      const up = g.add(low, k(1));
      const even = g.mul(g.emit('Floor', [g.mul(up, k(0.5))]), k(2));
      const tie = g.where(g.emit('Equal', [rest, k(0.5)]), even, low);
      return [g.where(g.emit('Greater', [rest, k(0.5)]), up, tie)];
    },
  },
);

export const Sign: Operator = unary(
  'none',
  { float: (a) => Math.sign(a), int: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n) },
  { webgpu: () => false, lower: (g, _node, [x]) => [signOf(g, x!)] },
);

const summed = (g: Builder, values: readonly (Value | null)[]): Value =>
  values.map((v) => v!).reduce((a, b) => g.add(a, b));

export const Sum: Operator = {
  shape: broadcastInputs,
  grad: ({ inputs, grads: [dy] }) => inputs.map(() => dy!),
  fold: foldElementwise(() => ({ float: (...x) => x.reduce((a, b) => a + b) })),
  webgpu: () => false,
  lower: (g, _node, inputs) => [inputs.length === 1 ? g.emit('Identity', [inputs[0]!]) : summed(g, inputs)],
};

export const Mean: Operator = {
  shape: broadcastInputs,
  grad: ({ g, inputs, grads: [dy] }) => {
    const share = g.mul(dy!, scalarLike(g, 1 / inputs.length, dy!));
    return inputs.map(() => share);
  },
  fold: foldElementwise(() => ({ float: (...x) => x.reduce((a, b) => a + b) / x.length })),
  webgpu: () => false,
  lower: (g, _node, inputs) => [g.mul(summed(g, inputs), scalarLike(g, 1 / inputs.length, inputs[0]!))],
};

/** The cotangent goes to the operands that attain the extremum, in equal shares where several do. */
const extremumGrad = ({ g, inputs, outputs: [y], grads: [dy], wants }: GradContext): (Value | null)[] => {
  if (inputs.length === 1) return [dy!];
  const hits = inputs.map((v) => g.cast(g.emit('Equal', [v!, y!]), y!.type));
  const share = g.div(dy!, summed(g, hits));
  return hits.map((hit, i) => (wants[i] ? g.mul(share, hit) : null));
};

const extremum = (fold: Scalar): Operator => ({
  shape: broadcastInputs,
  grad: extremumGrad,
  fold: foldElementwise(() => fold),
});

export const Max: Operator = extremum({
  float: Math.max,
  int: (...x) => x.reduce((a, b) => (a > b ? a : b)),
});
export const Min: Operator = extremum({
  float: Math.min,
  int: (...x) => x.reduce((a, b) => (a < b ? a : b)),
});

/** x passes its cotangent on where it was not cut (bounds included, as in PyTorch), a bound where it cut: the upper one last. */
export const Clip: Operator = {
  shape: sameAsInput,
  grad: ({ g, inputs: [x, low, high], outputs: [y], grads: [dy], wants }) => {
    const zero = scalarLike(g, 0, x!);
    const raised = (): Value => g.emit('And', [g.emit('Less', [x!, low!]), g.emit('Equal', [y!, low!])]);
    const lowered = (): Value => g.emit('Greater', [low ? g.emit('Max', [x!, low]) : x!, high!]);
    return [
      wants[0] ? g.where(g.emit('Equal', [x!, y!]), dy!, zero) : null,
      low && wants[1] ? g.where(raised(), dy!, zero) : null,
      high && wants[2] ? g.where(lowered(), dy!, zero) : null,
    ];
  },
  fold: (node, inputs) => {
    const [x, low, high] = inputs;
    if (!x) return undefined;
    const above = low ? Max.fold?.(node, [x, low])?.[0] : x;
    if (!above) return undefined;
    return high ? Min.fold?.(node, [above, high]) : [above];
  },
  convert: (node, version, b) => {
    if (version >= 11) return node;
    const type = node.inputs[0] ? b.value(node.inputs[0]).type : 'float32';
    const bound = (key: string): string => {
      if (!node.attributes[key]) return '';
      return scalarLike(b, floatAttr(node, key, 0), { type }).name;
    };
    const inputs = [node.inputs[0]!, bound('min'), bound('max')];
    return { ...node, inputs, attributes: {} };
  },
};
