/** @file Products and convolutions of whole numbers as those of the floats that they stand for. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Attributes, DType, Node } from '#src/onnx/model.ts';
import { type Chain, chainBehind } from './chains.ts';
import { asFloat, checkScale, realOf, rounded, same, unrounded } from './rounding.ts';
import type { Rewrite, Walk } from './walk.ts';
import { biasOf, plainName, productOf, real } from './weights.ts';

/** The attributes of a node that the standard operator has too. */
export const kept = (node: Node, names: string): Attributes =>
  Object.fromEntries(
    names.split(' ').flatMap((name) => {
      const a = node.attributes[name];
      return a ? [[name, a] as const] : [];
    }),
  );

const convolution = 'auto_pad dilations group kernel_shape pads strides';

/** The node's name without what quantisers add, if it is free. */
export const titleOf = (walk: Walk, node: Node): string =>
  walk.fresh(plainName(node.name || node.outputs[0]!));

/** What an operator of QLinear's kind gives: the real value, as it is behind the rounding to its scale and zero point. */
export function give(
  walk: Walk,
  node: Node,
  value: string,
  scale: string,
  zero: string,
  like: DType = 'uint8',
): void {
  const how = { scale, zero, type: walk.constant(zero)?.type ?? like };
  walk.stand(node.outputs[0]!, { real: rounded(walk, node, value, how), ...how });
}

interface Side {
  readonly name: string;
  readonly zero: string;
  /** The axis that may have a scale of its own per index, where it is a stored weight. */
  readonly axis: number;
}

/** One operand of an integer product: a weight that takes the scale, or activations, with the scale that they lack. */
function operand(
  walk: Walk,
  node: Node,
  { name, zero }: Side,
): { readonly value: string; readonly scale: string } {
  const whole = walk.standIn(name);
  if (!whole) return { value: realOf(walk, node, name, walk.one, zero), scale: walk.one };
  if (same(walk, whole.zero, zero)) return { value: whole.real, scale: whole.scale };
  const n = unrounded(walk, node, whole);
  return { value: walk.emit(node, 'Sub', [n, asFloat(walk, node, zero)]), scale: walk.one };
}

type Multiply = (operands: readonly string[], output: { readonly outputs?: readonly string[] }) => string;

/**
 * Σ (a − zero)(b − zero), times the scales of the chain behind it. Where one side is stored, the scales become the weight's own, divided by what the
 * activations' real numbers have already.
 */
function product(walk: Walk, node: Node, sides: readonly Side[], multiply: Multiply, chain?: Chain): void {
  const stored = sides.findIndex(({ name }) => !walk.depends(name));
  const given = sides.map((side, i) => (i === stored ? null : operand(walk, node, side)));
  const had = given.flatMap((side) => (side ? [side.scale] : []));
  const left = chain ? remaining(walk, node, chain.scales, had) : undefined;
  const scale = left ?? walk.one;
  const inputs = given.map((side, i) =>
    side ? side.value : real(walk, node, sides[i]!.name, scale, sides[i]!.zero, sides[i]!.axis),
  );
  const output = chain?.output ?? node.outputs[0]!;
  const whole = left !== undefined && stored >= 0 && chain!.addends.length === 0;
  let y = multiply(inputs, whole ? { outputs: [output] } : {});
  if (whole) return;
  if (left === undefined || stored < 0)
    for (const s of had) if (!same(walk, s, walk.one)) y = walk.emit(node, 'Div', [y, s]);
  const scaled = (value: string): string =>
    (chain?.scales ?? []).reduce((v, s) => walk.emit(node, 'Mul', [v, s]), value);
  if (left === undefined || stored < 0) y = scaled(y);
  for (const addend of chain?.addends ?? [])
    y = walk.emit(node, 'Add', [y, scaled(asFloat(walk, node, addend))]);
  if (chain) walk.alias(output, y);
  else walk.stand(output, { real: y, scale: walk.one, zero: '', type: 'int32' });
}

/** The chain's scales by those that the activations have already; undefined: they are not known here. */
function remaining(
  walk: Walk,
  node: Node,
  scales: readonly string[],
  had: readonly string[],
): string | undefined {
  const divisors = had.filter((s) => !same(walk, s, walk.one)).map((s) => walk.numbers(s)?.[0]);
  if (divisors.length === 0) return productOf(walk, node, node.name || node.outputs[0]!, scales);
  const lists = scales.map((s) => walk.numbers(s));
  if (lists.some((l) => !l) || divisors.includes(undefined)) return undefined;
  const count = Math.max(1, ...lists.map((l) => l!.length));
  const by = divisors.reduce<number>((a, b) => a * b!, 1);
  const values = Array.from(
    { length: count },
    (_, i) => lists.reduce((p, l) => p * l![l!.length === 1 ? 0 : i]!, 1) / by,
  );
  return walk.store(`${node.name || node.outputs[0]!}_scale`, 'float32', count > 1 ? [count] : [], values);
}

/** Rewrites an integer product with what stands behind it, at the place of the last node of that. */
function integerProduct(
  walk: Walk,
  node: Node,
  sides: readonly Side[],
  channels: { readonly count: number; readonly behind: number } | null,
  multiply: Multiply,
): boolean {
  if (!sides.some(({ name }) => walk.depends(name))) return false;
  const chain = chainBehind(walk, node, channels);
  if (!chain) product(walk, node, sides, multiply);
  else walk.absorb(chain.nodes, () => product(walk, node, sides, multiply, chain));
  return true;
}

export const matMulInteger: Rewrite = (walk, node) => {
  const [a = '', b = '', aZero = '', bZero = ''] = node.inputs;
  const sides = [
    { name: a, zero: aZero, axis: -2 },
    { name: b, zero: bZero, axis: -1 },
  ];
  const columns = walk.depends(b) ? undefined : walk.constant(b)?.shape.at(-1);
  const channels = columns === undefined ? null : { count: columns, behind: 0 };
  return integerProduct(walk, node, sides, channels, (inputs, output) =>
    walk.emit(node, 'MatMul', inputs, { ...output, name: titleOf(walk, node) }),
  );
};

export const convInteger: Rewrite = (walk, node) => {
  const [x = '', w = '', xZero = '', wZero = ''] = node.inputs;
  const sides = [
    { name: x, zero: xZero, axis: 1 },
    { name: w, zero: wZero, axis: 0 },
  ];
  const shape = walk.constant(w)?.shape;
  const channels = shape ? { count: shape[0]!, behind: shape.length - 2 } : null;
  return integerProduct(walk, node, sides, channels, (inputs, output) =>
    walk.emit(node, 'Conv', inputs, {
      ...output,
      name: titleOf(walk, node),
      attributes: kept(node, convolution),
    }),
  );
};

/** y, or y + bias, as the node's output. */
function withBias(walk: Walk, node: Node, inputs: readonly string[], bias: string | undefined): boolean {
  const name = titleOf(walk, node);
  if (bias) {
    const y = walk.emit(node, 'MatMul', inputs, { name });
    walk.emit(node, 'Add', [y, bias], { outputs: node.outputs });
  } else walk.emit(node, 'MatMul', inputs, { name, outputs: node.outputs });
  return true;
}

/** The runtime's fusion of DynamicQuantizeLinear with what follows. */
export const dynamicQuantizeMatMul: Rewrite = (walk, node) => {
  const [a = '', b = '', scale = '', zero = '', bias] = node.inputs;
  let x = walk.resolve(a);
  if (walk.context.rounding === 'keep') {
    const outputs = ['y', 'scale', 'zero'].map((part) => walk.fresh(`${node.outputs[0]!}/rounded/${part}`));
    walk.emit(node, 'DynamicQuantizeLinear', [x], { outputs });
    x = walk.emit(node, 'DequantizeLinear', outputs);
  }
  return withBias(walk, node, [x, real(walk, node, b, scale, zero, -1)], bias);
};

export const matMulIntegerToFloat: Rewrite = (walk, node) => {
  const [a = '', b = '', aScale = '', bScale = '', aZero = '', bZero = '', bias] = node.inputs;
  const x = real(walk, node, a, aScale, aZero, -2);
  return withBias(walk, node, [x, real(walk, node, b, bScale, bZero, -1)], bias);
};

export const qLinearMatMul: Rewrite = (walk, node) => {
  const [a = '', aScale = '', aZero = '', b = '', bScale = '', bZero = '', scale = '', zero = ''] =
    node.inputs;
  const x = real(walk, node, a, aScale, aZero, -2);
  const y = walk.emit(node, 'MatMul', [x, real(walk, node, b, bScale, bZero, -1)], {
    name: titleOf(walk, node),
  });
  give(walk, node, y, scale, zero);
  return true;
};

/** [batch, …, channels] → [batch, channels, …], and back. */
export function channelsFirst(walk: Walk, node: Node, x: string, rank: number): string {
  const perm = [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
  return walk.emit(node, 'Transpose', [x], { attributes: { perm: { kind: 'ints', value: perm } } });
}
export function channelsLast(walk: Walk, node: Node, x: string, rank: number): string {
  const perm = [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
  return walk.emit(node, 'Transpose', [x], { attributes: { perm: { kind: 'ints', value: perm } } });
}

export const qLinearConv: Rewrite = (walk, node) => {
  const [x = '', xScale = '', xZero = '', w = '', wScale = '', wZero = '', scale = '', zero = '', bias] =
    node.inputs;
  checkScale(walk, node, xScale);
  const rank = walk.constant(w)?.shape.length ?? 4;
  const last = intAttr(node, 'channels_last', 0) !== 0;
  const given = real(walk, node, x, xScale, xZero, 1);
  const inputs = [
    last ? channelsFirst(walk, node, given, rank) : given,
    real(walk, node, w, wScale, wZero, 0),
    ...(bias ? [biasOf(walk, node, bias, [xScale, wScale])] : []),
  ];
  const y = walk.emit(node, 'Conv', inputs, {
    name: titleOf(walk, node),
    attributes: kept(node, convolution),
  });
  give(walk, node, last ? channelsLast(walk, node, y, rank) : y, scale, zero);
  return true;
};

/** α·(A·B + C) of whole numbers; in float where it has no scale of its own. */
export const qGemm: Rewrite = (walk, node) => {
  const [a = '', aScale = '', aZero = '', b = '', bScale = '', bZero = '', c, scale, zero = ''] = node.inputs;
  const inputs = [
    real(walk, node, a, aScale, aZero, 0),
    real(walk, node, b, bScale, bZero, intAttr(node, 'transB', 0) === 0 ? 1 : 0),
    ...(c ? [biasOf(walk, node, c, [aScale, bScale])] : []),
  ];
  const { alpha } = node.attributes;
  const attributes = {
    ...kept(node, 'transA transB'),
    // C is in steps of the product before alpha.
    ...(alpha && { alpha, beta: alpha }),
  };
  const name = titleOf(walk, node);
  if (scale) give(walk, node, walk.emit(node, 'Gemm', inputs, { name, attributes }), scale, zero);
  else walk.emit(node, 'Gemm', inputs, { name, attributes, outputs: node.outputs });
  return true;
};

/** Queries, keys and values of whole numbers in one product. */
export const qAttention: Rewrite = (walk, node) => {
  const [x = '', w = '', bias = '', xScale = '', wScale = '', mask = '', xZero = '', wZero = '', past = ''] =
    node.inputs;
  const inputs = [
    real(walk, node, x, xScale, xZero, -1),
    real(walk, node, w, wScale, wZero, -1),
    bias,
    mask,
    past,
  ];
  walk.emit(node, 'Attention', inputs, {
    domain: 'com.microsoft',
    name: titleOf(walk, node),
    attributes: kept(
      node,
      'num_heads unidirectional scale mask_filter_value do_rotary past_present_share_buffer',
    ),
    outputs: node.outputs,
  });
  return true;
};
