/** @file ONNX Runtime's QLinear operators without weights, as the float operators between a rounding and the next. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Attributes, Node } from '#src/onnx/model.ts';
import { channelsFirst, channelsLast, give, kept, titleOf } from './products.ts';
import type { Rewrite, Walk } from './walk.ts';
import { real } from './weights.ts';

/** Input i … i + 2: whole numbers, scale and zero point. */
const at = (walk: Walk, node: Node, i: number): string =>
  real(walk, node, node.inputs[i] ?? '', node.inputs[i + 1] ?? '', node.inputs[i + 2] ?? '', -1);

/** The scale and zero point at place i of the inputs are the result's. */
function finish(walk: Walk, node: Node, y: string, i: number): true {
  const first = walk.standIn(node.inputs[0]!)?.type;
  give(walk, node, y, node.inputs[i] ?? '', node.inputs[i + 1] ?? '', first);
  return true;
}

const two =
  (op: string): Rewrite =>
  (walk, node) =>
    finish(
      walk,
      node,
      walk.emit(node, op, [at(walk, node, 0), at(walk, node, 3)], { name: titleOf(walk, node) }),
      6,
    );

const one =
  (op: string, attributes = ''): Rewrite =>
  (walk, node) =>
    finish(
      walk,
      node,
      walk.emit(node, op, [at(walk, node, 0)], {
        name: titleOf(walk, node),
        attributes: kept(node, attributes),
      }),
      3,
    );

const concat: Rewrite = (walk, node) => {
  const parts = Array.from({ length: Math.floor((node.inputs.length - 2) / 3) }, (_, i) =>
    at(walk, node, 2 + 3 * i),
  );
  const y = walk.emit(node, 'Concat', parts, { name: titleOf(walk, node), attributes: kept(node, 'axis') });
  return finish(walk, node, y, 0);
};

const where: Rewrite = (walk, node) => {
  const parts = [node.inputs[0]!, at(walk, node, 1), at(walk, node, 4)];
  const y = walk.emit(node, 'Where', parts, { name: titleOf(walk, node) });
  return finish(walk, node, y, 7);
};

/** Pooling, of [batch, …, channels] where the node says so. */
const pool =
  (op: string, attributes: string): Rewrite =>
  (walk, node) => {
    const rank = (intsAttr(node, 'kernel_shape')?.length ?? 2) + 2;
    const last = intAttr(node, 'channels_last', 0) !== 0;
    const x = at(walk, node, 0);
    const y = walk.emit(node, op, [last ? channelsFirst(walk, node, x, rank) : x], {
      name: titleOf(walk, node),
      attributes: kept(node, attributes),
    });
    return finish(walk, node, last ? channelsLast(walk, node, y, rank) : y, 3);
  };

/** Before opset 13 Softmax took all axes from its own on as one: `opset` says which it means, whatever the file's own. */
const softmax: Rewrite = (walk, node) => {
  const x = at(walk, node, 0);
  const old = intAttr(node, 'opset', walk.context.version) < 13;
  const axis = intAttr(node, 'axis', old ? 1 : -1);
  const attributes = (value: number): Attributes => ({ axis: { kind: 'int', value } });
  const name = titleOf(walk, node);
  let y: string;
  if (!old || axis === -1 || walk.context.version < 13)
    y = walk.emit(node, 'Softmax', [x], { name, attributes: attributes(axis) });
  else {
    const flat = walk.emit(node, 'Flatten', [x], { attributes: attributes(axis) });
    const rows = walk.emit(node, 'Softmax', [flat], { name, attributes: attributes(-1) });
    y = walk.emit(node, 'Reshape', [rows, walk.emit(node, 'Shape', [x])]);
  }
  return finish(walk, node, y, 3);
};

/** BERT's embeddings from tables of whole numbers. */
const embedding: Rewrite = (walk, node) => {
  const n = node.inputs;
  const table = (place: number, scale: number, zero: number): string =>
    n[place] ? real(walk, node, n[place], n[scale] ?? '', n[zero] ?? '', -1) : '';
  walk.emit(
    node,
    'EmbedLayerNormalization',
    [
      n[0] ?? '',
      n[1] ?? '',
      table(2, 8, 13),
      table(3, 9, 14),
      table(4, 10, 15),
      table(5, 11, 16),
      table(6, 12, 17),
      n[7] ?? '',
    ],
    {
      domain: 'com.microsoft',
      name: titleOf(walk, node),
      attributes: kept(node, 'epsilon'),
      outputs: node.outputs,
    },
  );
  return true;
};

const pooling = 'auto_pad ceil_mode count_include_pad kernel_shape pads strides';

/** Of the domain com.microsoft, by name. */
export const elementwise: Readonly<Record<string, Rewrite>> = {
  QLinearAdd: two('Add'),
  QLinearMul: two('Mul'),
  QLinearConcat: concat,
  QLinearSigmoid: one('Sigmoid'),
  QLinearLeakyRelu: one('LeakyRelu', 'alpha'),
  QLinearSoftmax: softmax,
  QLinearWhere: where,
  QLinearAveragePool: pool('AveragePool', pooling),
  QLinearGlobalAveragePool: pool('GlobalAveragePool', ''),
  QEmbedLayerNormalization: embedding,
};
