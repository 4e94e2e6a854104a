/** @file ONNX Runtime's weights in blocks of few bits: MatMulNBits and GatherBlockQuantized as standard operators. */
import type { Builder } from '#src/graph/builder.ts';
import { intAttr } from '#src/graph/attributes.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, sizeOf } from '#src/onnx/tensor.ts';
import { fail } from '../entries/arguments.ts';
import { axisIndex, requiredInput, scalarLike } from '../entries/common.ts';
import { expanded, needed } from '../entries/expansion.ts';
import type { Operator } from '../types.ts';

/** The name of the float weight that a quantiser's name stands for: x.weight_Q4 → x.weight, x.qweight → x.weight. */
const plainName = (name: string): string =>
  name.replace(/(_DQ)?_Q\d+(_\w+)?$/, '').replace(/([._/])qweight$/, '$1weight');

const reshaping = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);

/** The initializer whose bytes a value holds, in whatever shape; the value itself where it is none. */
function storedBehind(g: Builder, v: Value): Value {
  for (let name = v.name; ;) {
    if (g.constants.has(name)) return g.value(name);
    const node = g.nodes.find((n) => n.outputs.includes(name));
    if (!node || node.domain !== '' || !reshaping.has(node.op)) return v;
    name = node.inputs[0]!;
  }
}

/** The same bytes as an initializer of another type and shape. */
function retyped(g: Builder, node: Node, given: Value, type: DType, shape: Shape): Value {
  const v = storedBehind(g, given);
  const constant = g.constants.get(v.name);
  if (!constant)
    fail(node, `its weight ${v.name} is computed, but must be stored in the file. Fold constants first.`);
  const wanted = plainName(v.name);
  const name = wanted !== v.name && !g.values.has(wanted) ? wanted : `${v.name}/${type}`;
  const known = g.values.get(name);
  if (known?.type === type && known.shape.join() === shape.join()) return known;
  return g.initializer(known ? g.fresh(name) : name, { ...constant, type, shape });
}

/** Packed zero points of [rows, ⌈blocks·4/8⌉] bytes as uint4 [rows, blocks]: a row of an odd number of blocks ends in half a byte. */
function nibbles(g: Builder, node: Node, zeros: Value, rows: number, blocks: number): Value {
  if (blocks % 2 === 0) return retyped(g, node, zeros, 'uint4', [rows, blocks]);
  const t = g.constantValue(zeros);
  if (!t)
    fail(
      node,
      `its zero points (${zeros.name}) are stored outside of the model's file with an odd number of blocks, which is not supported. Put the tensor into the file, or use symmetric quantisation.`,
    );
  const bytes = numbersOf(t);
  const width = Math.ceil(blocks / 2);
  const packed = new Uint8Array(Math.ceil((rows * blocks) / 2));
  for (let i = 0; i < rows * blocks; i++) {
    const [row, column] = [Math.floor(i / blocks), i % blocks];
    const nibble = (bytes[row * width + (column >> 1)]! >> (4 * (column & 1))) & 15;
    packed[i >> 1]! |= nibble << (4 * (i & 1));
  }
  return g.initializer(
    g.fresh(`${zeros.name}/uint4`),
    constantOf({ type: 'uint4', shape: [rows, blocks], data: packed }),
  );
}

/** Y = A·Wᵀ + bias with W [N, K] = (B − zero)·scale in blocks along K, as DequantizeLinear and Gemm: a layer in PyTorch's layout. */
const matMulNBits = expanded((g, node, inputs) => {
  const a = needed(node, inputs, 0, 'input');
  const packed = needed(node, inputs, 1, 'weight');
  const scales = needed(node, inputs, 2, 'scales');
  const [K, N] = [intAttr(node, 'K', 0), intAttr(node, 'N', 0)];
  const size = intAttr(node, 'block_size', 0);
  const bits = intAttr(node, 'bits', 4);
  const blocks = Math.ceil(K / size);
  if (bits !== 4 && bits !== 8)
    fail(node, `weights of ${bits} bits are not supported, only 4 and 8. Quantise the model with 4 bits.`);
  if (intAttr(node, 'weight_prepacked', 0) !== 0)
    fail(node, 'its weight is packed for one kind of GPU. Export the model without prepacking.');
  if (a.shape.at(-1) !== K || sizeOf(packed.shape) !== (N * blocks * size * bits) / 8)
    fail(
      node,
      `its input [${a.shape.join()}] or weight [${packed.shape.join()}] does not fit K = ${K}, N = ${N} in blocks of ${size}. The file is damaged; export the model again.`,
    );
  checkOrder(g, node, inputs[4], K, size);
  const type = bits === 4 ? 'uint4' : 'uint8';
  const weight = retyped(g, node, packed, type, [N, blocks * size]);
  const perBlock = g.reshape(scales, [N, blocks]);
  const zeros = inputs[3];
  const float = zeros && zeros.type !== 'uint8' ? zeros : null;
  let zero: Value;
  if (!zeros || float) {
    // Without zero points the middle of the range is zero.
    const filling = float ? 0 : bits === 4 ? 0x88 : 128;
    const bytes = new Uint8Array(Math.ceil((N * blocks * bits) / 8)).fill(filling);
    zero = g.initializer(
      g.fresh(`${weight.name}/zero`),
      constantOf({ type, shape: [N, blocks], data: bytes }),
    );
  } else if (bits === 4) zero = nibbles(g, node, zeros, N, blocks);
  else zero = g.reshape(zeros, [N, blocks]);
  let w = g.emit('DequantizeLinear', [weight, perBlock, zero], { axis: 1, block_size: size });
  if (float) w = shifted(g, w, g.mul(g.reshape(float, [N, blocks]), perBlock), size);
  if (blocks * size !== K) w = g.slice(w, [0], [K], [1]);
  const rows = g.reshape(a, [sizeOf(a.shape.slice(0, -1)), K]);
  const y = g.emit('Gemm', inputs[5] ? [rows, w, inputs[5]] : [rows, w], { transB: 1 }, { name: node.name });
  return [g.reshape(y, [...a.shape.slice(0, -1), N])];
});

/** Subtracts one number per block: zero points that are no integers. */
function shifted(g: Builder, w: Value, shift: Value, size: number): Value {
  const [N, blocks] = shift.shape as [number, number];
  const cut = g.reshape(w, [N, blocks, size]);
  return g.reshape(g.sub(cut, g.reshape(shift, [N, blocks, 1])), w.shape);
}

/** The deprecated order of columns is accepted where it is the natural one. */
function checkOrder(g: Builder, node: Node, order: Value | null | undefined, K: number, size: number): void {
  if (!order) return;
  const t = g.constantValue(order);
  const natural = t && numbersOf(t).every((block, i) => i >= K || block === Math.floor(i / size));
  if (!natural)
    fail(
      node,
      'its columns are reordered (g_idx), which is not supported. Quantise the model without act-order.',
    );
}

export const MatMulNBits: Operator = {
  ...matMulNBits,
  shape: (ctx) => {
    const a = requiredInput(ctx, 0);
    return [{ type: a.type, shape: [...a.shape.slice(0, -1), intAttr(ctx.node, 'N', 0)] }];
  },
};

/**
 * Rows of a table in blocks of few bits. Only the rows asked for are unpacked: y = (q − zero)·scale, where a byte holds 8 / bits numbers,
 * low bits first.
 */
const gatherBlocks = expanded((g, node, inputs) => {
  const data = needed(node, inputs, 0, 'table');
  const indices = needed(node, inputs, 1, 'indices');
  const scales = needed(node, inputs, 2, 'scales');
  const rank = data.shape.length;
  const size = intAttr(node, 'block_size', 128);
  const half = data.type === 'int4' || data.type === 'uint4';
  const bits = half ? 4 : intAttr(node, 'bits', 4);
  const last = axisIndex(node, intAttr(node, 'quantize_axis', 1), rank) === rank - 1;
  if (intAttr(node, 'gather_axis', 0) !== 0 || !last || size <= 0)
    fail(
      node,
      'only rows of a table with blocks along its last axis are supported. Quantise it along that axis.',
    );
  if (bits !== 4 && bits !== 8)
    fail(node, `numbers of ${bits} bits are not supported, only of 4 and 8. Quantise the model with 4 bits.`);
  if (half && data.shape[rank - 1]! % 2 !== 0)
    fail(node, 'rows of an odd number of 4-bit values are not supported. Keep this table in float.');
  const bytesOf = (v: Value, columns: number): Value =>
    half ? retyped(g, node, v, 'uint8', [...v.shape.slice(0, -1), Math.ceil(columns / 2)]) : v;
  const rowsOf = (table: Value): Value => g.emit('Gather', [table, indices], { axis: 0 });
  const numbers = (v: Value): Value => {
    const bytes = g.cast(rowsOf(v), 'float32');
    if (bits === 8) return bytes;
    const high = g.emit('Floor', [g.mul(bytes, g.scalar(1 / 16))]);
    const low = g.sub(bytes, g.mul(high, g.scalar(16)));
    const pairs = [low, high].map((n) => g.reshape(n, [...n.shape, 1]));
    const nibble = g.reshape(g.concat(pairs, bytes.shape.length), [
      ...bytes.shape.slice(0, -1),
      bytes.shape.at(-1)! * 2,
    ]);
    if (data.type !== 'int4') return nibble;
    const negative = g.cast(g.emit('Greater', [nibble, g.scalar(7)]), 'float32');
    return g.sub(nibble, g.mul(negative, g.scalar(16)));
  };
  const q = numbers(bytesOf(data, data.shape[rank - 1]!));
  const scale = rowsOf(scales);
  const blocks = scale.shape.at(-1)!;
  const width = q.shape.at(-1)!;
  if (blocks * size !== width)
    fail(
      node,
      `rows of ${width} numbers are no multiple of its blocks of ${size}, which is not supported. Quantise the model in blocks that divide them.`,
    );
  const cut = g.cast(g.reshape(q, [...q.shape.slice(0, -1), blocks, size]), scale.type);
  const perBlock = (v: Value): Value => g.reshape(v, [...v.shape, 1]);
  const middle = half ? 0 : 2 ** (bits - 1);
  let centred = cut;
  if (inputs[3]) {
    if (half && blocks % 2 !== 0)
      fail(node, 'zero points of an odd number of blocks are not supported. Use symmetric quantisation.');
    const zero = g.cast(numbers(bytesOf(inputs[3], blocks)), scale.type);
    centred = g.sub(
      cut,
      perBlock(zero.shape.at(-1) === blocks ? zero : g.slice(zero, [0], [blocks], [zero.shape.length - 1])),
    );
  } else if (middle !== 0) centred = g.sub(cut, scalarLike(g, middle, cut));
  return [g.reshape(g.mul(centred, perBlock(scale)), q.shape)];
});

export const GatherBlockQuantized: Operator = {
  ...gatherBlocks,
  shape: (ctx) => {
    const data = requiredInput(ctx, 0);
    const indices = requiredInput(ctx, 1);
    const packed = data.type === 'uint8' && intAttr(ctx.node, 'bits', 4) === 4 ? 2 : 1;
    const shape = [...indices.shape, ...data.shape.slice(1, -1), data.shape.at(-1)! * packed];
    return [{ type: requiredInput(ctx, 2).type, shape }];
  },
};
