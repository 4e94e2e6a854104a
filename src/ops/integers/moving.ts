/** @file What moves whole numbers about, and arithmetic on them: on the real numbers that they stand for, or on themselves unrounded. */
import { castCodes } from '#src/graph/builder.ts';
import { intAttr } from '#src/graph/attributes.ts';
import type { Node } from '#src/onnx/model.ts';
import { typeOfCode } from '#src/onnx/protobuf.ts';
import { kept, channelsFirst, channelsLast } from './products.ts';
import { asFloat, realOf, unrounded } from './rounding.ts';
import type { StandIn } from './types.ts';
import type { Rewrite, Walk } from './walk.ts';

/** The outputs of a node that moves numbers of one scale about. */
function moved(walk: Walk, node: Node, inputs: readonly string[], like: StandIn): void {
  const outputs = node.outputs.map((o) => (o === '' ? '' : walk.fresh(`${o}/real`)));
  walk.emit(node, node.op, inputs, { outputs, attributes: node.attributes, name: node.name });
  node.outputs.forEach((name, i) => {
    walk.sameLimits(outputs[i]!, like.real);
    walk.stand(name, { ...like, real: outputs[i]! });
  });
}

/** Moves the numbers of its first input. */
const move: Rewrite = (walk, node) => {
  const whole = walk.standIn(node.inputs[0] ?? '');
  if (!whole) return false;
  moved(walk, node, [whole.real, ...node.inputs.slice(1)], whole);
  return true;
};

/** Puts numbers of all inputs from `from` on side by side; they have one scale. */
const join =
  (from: number): Rewrite =>
  (walk, node) => {
    const like = node.inputs
      .slice(from)
      .map((name) => walk.standIn(name))
      .find(Boolean);
    if (!like) return false;
    const inputs = node.inputs.map((name, i) =>
      i < from ? name : realOf(walk, node, name, like.scale, like.zero),
    );
    moved(walk, node, inputs, like);
    return true;
  };

/** What is put around whole numbers is a whole number too, or zero. */
const pad: Rewrite = (walk, node) => {
  const whole = walk.standIn(node.inputs[0] ?? '');
  if (!whole) return false;
  const [, pads = '', value = '', axes = ''] = node.inputs;
  const number = (name: string): number => (name === '' ? 0 : (walk.numbers(name)?.[0] ?? 0));
  const filling = (number(value) - number(whole.zero)) * (walk.numbers(whole.scale)?.[0] ?? 1);
  moved(walk, node, [whole.real, pads, walk.store('padding', 'float32', [], [filling]), axes], whole);
  return true;
};

/** Sums and the like of whole numbers: exact in float as long as nothing is rounded. */
const arithmetic: Rewrite = (walk, node) => {
  if (!node.inputs.some((name) => walk.standIn(name))) return false;
  const type = node.inputs.map((name) => walk.standIn(name)?.type).find(Boolean)!;
  const inputs = node.inputs.map((name) => (name === '' ? '' : asFloat(walk, node, name)));
  const real = walk.emit(node, node.op, inputs, { attributes: node.attributes, name: node.name });
  walk.stand(node.outputs[0]!, { real, scale: walk.one, zero: '', type });
  return true;
};

/** To float: the numbers, unrounded. To other whole numbers: themselves. */
const cast: Rewrite = (walk, node) => {
  const whole = walk.standIn(node.inputs[0] ?? '');
  if (!whole) return false;
  const type = typeOfCode(intAttr(node, 'to', 0));
  if (!type || type === 'bool' || type === 'string') return false;
  const real = unrounded(walk, node, whole);
  if (!type.includes('float')) walk.stand(node.outputs[0]!, { real, scale: walk.one, zero: '', type });
  else if (type === 'float32') walk.alias(node.outputs[0]!, real);
  else
    walk.emit(node, 'Cast', [real], {
      attributes: { to: { kind: 'int', value: castCodes[type] } },
      outputs: node.outputs,
    });
  return true;
};

/** Only the shape is asked for. */
const shape: Rewrite = (walk, node) => {
  const whole = walk.standIn(node.inputs[0] ?? '');
  if (!whole) return false;
  walk.emit(node, node.op, [whole.real], {
    attributes: node.attributes,
    outputs: node.outputs,
    name: node.name,
  });
  return true;
};

/** A product with a scale of 1, as DynamicQuantizeLinear's is here, is its other operand. */
const scaled: Rewrite = (walk, node) => {
  const [a = '', b = ''] = node.inputs;
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const)
    if (walk.resolve(x) === walk.one && x !== walk.one) {
      walk.alias(node.outputs[0]!, walk.resolve(y));
      return true;
    }
  return arithmetic(walk, node);
};

/** MaxPool of [batch, height, width, channels]. */
const nhwcMaxPool: Rewrite = (walk, node) => {
  const whole = walk.standIn(node.inputs[0] ?? '');
  if (!whole) return false;
  const y = walk.emit(node, 'MaxPool', [channelsFirst(walk, node, whole.real, 4)], {
    attributes: kept(node, 'auto_pad ceil_mode dilations kernel_shape pads strides'),
  });
  const real = channelsLast(walk, node, y, 4);
  walk.sameLimits(real, whole.real);
  walk.stand(node.outputs[0]!, { ...whole, real });
  return true;
};

const each = (names: string, rewrite: Rewrite): [string, Rewrite][] =>
  names.split(' ').map((name) => [name, rewrite]);

/** By name; those that read no whole numbers stay as they are. */
export const moving: ReadonlyMap<string, Rewrite> = new Map([
  ...each(
    'DepthToSpace Dropout Expand Flatten Gather GatherElements GatherND GlobalMaxPool Identity MaxPool Reshape Resize ReverseSequence Slice SpaceToDepth Split Squeeze Tile Transpose Unsqueeze Upsample',
    move,
  ),
  ...each('Concat Max Min', join(0)),
  ...each('Where', join(1)),
  ...each('Pad', pad),
  ...each('Abs Add Clip MatMul Neg Relu Sub Sum', arithmetic),
  ...each('Mul', scaled),
  ...each('Cast', cast),
  ...each('Shape Size', shape),
  ...each('com.microsoft::NhwcMaxPool', nhwcMaxPool),
]);
