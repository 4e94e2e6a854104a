/** @file Products and convolutions that ONNX Runtime's optimiser fused with what follows, taken apart again. */
import type { Builder } from '#src/graph/builder.ts';
import { type AttributeInput, float, floatAttr, intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { fail } from '../entries/arguments.ts';
import { scalarLike } from '../entries/common.ts';
import { expanded, needed } from '../entries/expansion.ts';
import type { Operator } from '../types.ts';

type Attributes = Readonly<Record<string, AttributeInput | undefined>>;

/** The attributes of a node that the standard operator has too. */
const kept = (node: Node, names: readonly string[]): Attributes =>
  Object.fromEntries(names.map((name) => [name, node.attributes[name]]));

/** An operand of FusedMatMul as MatMul takes it. Transposing the batch moves the first axis before the last. */
function operand(g: Builder, x: Value, transposed: boolean, batched: boolean): Value {
  const rank = x.shape.length;
  if (rank < 2) return x;
  const axes = x.shape.map((_, i) => i);
  // [rows, batch …, columns] → [batch …, rows, columns].
  const placed = batched ? [...axes.slice(1, -1), 0, rank - 1] : axes;
  const perm = transposed ? [...placed.slice(0, -2), placed[rank - 1]!, placed[rank - 2]!] : placed;
  return g.transpose(x, perm);
}

/** α·A′·B′ with numpy's batches. A vector is never transposed. */
export const FusedMatMul: Operator = expanded((g, node, inputs) => {
  const flag = (name: string): boolean => intAttr(node, name, 0) !== 0;
  const a = operand(g, needed(node, inputs, 0, 'A'), flag('transA'), flag('transBatchA'));
  const b = operand(g, needed(node, inputs, 1, 'B'), flag('transB'), flag('transBatchB'));
  const y = g.emit('MatMul', [a, b], {}, { name: node.name });
  const alpha = floatAttr(node, 'alpha', 1);
  return [alpha === 1 ? y : g.mul(y, scalarLike(g, alpha, y))];
});

/** An activation by name, with up to two parameters. */
function activate(g: Builder, node: Node, x: Value, parameters: readonly number[]): Value {
  const name = stringAttr(node, 'activation', '');
  const [p, q] = parameters;
  const given = (attributes: Readonly<Record<string, number | undefined>>): Attributes =>
    Object.fromEntries(Object.entries(attributes).map(([k, v]) => [k, v === undefined ? v : float(v)]));
  switch (name) {
    case '':
      return x;
    case 'Relu':
    case 'Tanh':
    case 'Sigmoid':
    case 'Softplus':
    case 'Softsign':
      return g.emit(name, [x]);
    case 'LeakyRelu':
    case 'Elu':
    case 'ThresholdedRelu':
      return g.emit(name, [x], given({ alpha: p }));
    case 'HardSigmoid':
      return g.emit(name, [x], given({ alpha: p, beta: q }));
    case 'Clip':
      return g.emit(name, [
        x,
        scalarLike(g, p ?? -3.4028234663852886e38, x),
        scalarLike(g, q ?? 3.4028234663852886e38, x),
      ]);
    default:
      return fail(
        node,
        `the activation ${name} is not supported. Export the model without ONNX Runtime's optimiser.`,
      );
  }
}

const convolution = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];

/** activation(Conv(X, W, B) + Z). */
export const FusedConv: Operator = expanded((g, node, inputs) => {
  const y = g.emit('Conv', inputs.slice(0, 3), kept(node, convolution), { name: node.name });
  const sum = inputs[3] ? g.add(y, inputs[3]) : y;
  const parameters = node.attributes.activation_params;
  return [activate(g, node, sum, parameters?.kind === 'floats' ? parameters.value : [])];
});

/** Conv of [batch, height, width, channels] with weights of [out, height, width, in / groups]. */
export const NhwcConv: Operator = expanded((g, node, inputs) => {
  const x = g.transpose(needed(node, inputs, 0, 'input'), [0, 3, 1, 2]);
  const w = g.transpose(needed(node, inputs, 1, 'weight'), [0, 3, 1, 2]);
  const y = g.emit('Conv', [x, w, inputs[2] ?? null], kept(node, convolution), { name: node.name });
  return [g.transpose(y, [0, 2, 3, 1])];
});

const gemm = ['alpha', 'beta', 'transA', 'transB'];

export const FusedGemm: Operator = expanded((g, node, inputs) => {
  const y = g.emit('Gemm', inputs, kept(node, gemm), { name: node.name });
  const parameters = ['activation_alpha', 'activation_beta', 'activation_gamma'].flatMap((name) =>
    node.attributes[name] ? [floatAttr(node, name, 0)] : [],
  );
  return [activate(g, node, y, parameters)];
});

export const GemmFastGelu: Operator = expanded((g, node, inputs) => {
  const y = g.matMul(needed(node, inputs, 0, 'X'), needed(node, inputs, 1, 'W'));
  return [g.emit('Gelu', [inputs[2] ? g.add(y, inputs[2]) : y], { approximate: 'tanh' })];
});

/** a·gelu(b) of the halves of x + bias. */
export const BiasSplitGelu: Operator = expanded((g, node, inputs) => {
  const x = g.add(needed(node, inputs, 0, 'input'), needed(node, inputs, 1, 'bias'));
  const axis = x.shape.length - 1;
  const half = x.shape[axis]! / 2;
  const [a, b] = g.split(x, axis, [half, half]) as [Value, Value];
  return [g.mul(a, g.emit('Gelu', [b]))];
});

export const BiasAdd: Operator = expanded((g, node, inputs) => [
  g.add(
    g.add(needed(node, inputs, 0, 'input'), needed(node, inputs, 1, 'bias')),
    needed(node, inputs, 2, 'skip'),
  ),
]);
