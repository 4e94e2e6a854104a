/** @file Space folded into channels and back: DepthToSpace, SpaceToDepth, Col2Im. */
import { intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf } from '#src/onnx/tensor.ts';
import { contradicts, intsOf } from '../entries/arguments.ts';
import { requiredInput } from '../entries/common.ts';
import type { Operator } from '../types.ts';
import { untap } from './unfold.ts';
import { windows } from './window.ts';

type Dims4 = readonly [number, number, number, number];

function image(node: Node, shape: Shape): Dims4 {
  if (shape.length !== 4)
    contradicts(node, `needs an input [batch, channels, height, width], not [${shape.join()}].`);
  return shape as Dims4;
}

function blockSize(node: Node): number {
  const b = intAttr(node, 'blocksize', 0);
  return b > 0 ? b : contradicts(node, 'has no blocksize.');
}

function deep(node: Node, shape: Shape): Dims4 {
  const [n, c, h, w] = image(node, shape);
  const b = blockSize(node);
  if (c % (b * b) !== 0) contradicts(node, `${c} channels do not divide into blocks of ${b} × ${b}.`);
  return [n, c / (b * b), h, w];
}

export const DepthToSpace: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const [n, c, h, w] = deep(ctx.node, x.shape);
    const b = blockSize(ctx.node);
    return [{ type: x.type, shape: [n, c, h * b, w * b] }];
  },
  // The channels are (block row, block column, channel), or in mode CRD (channel, block row, block column).
  expand: (g, node, [x]) => {
    const [n, c, h, w] = deep(node, x!.shape);
    const b = blockSize(node);
    const channelFirst = stringAttr(node, 'mode', 'DCR') === 'CRD';
    const apart = g.reshape(x!, channelFirst ? [n, c, b, b, h, w] : [n, b, b, c, h, w]);
    const placed = g.transpose(apart, channelFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
    return [g.reshape(placed, [n, c, h * b, w * b])];
  },
};

export const SpaceToDepth: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const [n, c, h, w] = image(ctx.node, x.shape);
    const b = blockSize(ctx.node);
    if (h % b !== 0 || w % b !== 0)
      contradicts(ctx.node, `${h} × ${w} does not divide into blocks of ${b} × ${b}.`);
    return [{ type: x.type, shape: [n, c * b * b, h / b, w / b] }];
  },
  expand: (g, node, [x]) => {
    const [n, c, h, w] = image(node, x!.shape);
    const b = blockSize(node);
    const apart = g.reshape(x!, [n, c, h / b, b, w / b, b]);
    return [g.reshape(g.transpose(apart, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b])];
  },
};

/** x [N, C·k₁·k₂…, L] holds, for each of the L window positions, the window's elements; the output [N, C, image] is their sum in place. */
export const Col2Im: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const [size, block] = [intsOf(ctx, 1, 'image size'), intsOf(ctx, 2, 'block size')];
    const axes = windows(ctx.node, size, block);
    const positions = sizeOf(axes.map((a) => a.output));
    const [n, rows, length] = x.shape;
    if (x.shape.length !== 3 || rows! % sizeOf(block) !== 0 || length !== positions)
      contradicts(
        ctx.node,
        `columns of shape [${x.shape.join()}] do not fit ${positions} windows of [${block.join()}] over [${size.join()}].`,
      );
    return [{ type: x.type, shape: [n!, rows! / sizeOf(block), ...size] }];
  },
  expand: (g, node, [x, size, block]) => {
    const [image, kernel] = [size!, block!].map((v) => numbersOf(g.constantValue(v)!)) as [
      number[],
      number[],
    ];
    const axes = windows(node, image, kernel);
    const [n, rows] = x!.shape as [number, number, number];
    let y: Value = g.reshape(x!, [n, rows / sizeOf(kernel), ...kernel, ...axes.map((a) => a.output)]);
    for (const a of axes) {
      // [N, C, this kernel axis, further kernel axes, finished image axes, this axis' positions, further positions].
      const taps = g.split(
        y,
        2,
        Array.from({ length: a.kernel }, () => 1),
      );
      const pieces = taps.map((t) => g.reshape(t, [...t.shape.slice(0, 2), ...t.shape.slice(3)]));
      y = untap(g, pieces, axes.length + 1, a);
    }
    return [y];
  },
};
