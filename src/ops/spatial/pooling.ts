/** @file MaxPool, AveragePool and their global forms. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { Contradiction, type Shape, type Value, type ValueType } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';
import { taps, untap } from './unfold.ts';
import { type Axis, windows } from './window.ts';

export function poolWindows(node: Node, x: Value): Axis[] {
  const kernel = intsAttr(node, 'kernel_shape');
  const spatial = x.shape.slice(2);
  if (!kernel || kernel.length !== spatial.length || spatial.length === 0)
    throw new Contradiction(
      `${nodeLabel(node)}: kernel_shape [${kernel?.join() ?? ''}] does not fit an input of shape [${x.shape.join()}].`,
    );
  return windows(node, spatial, kernel, intAttr(node, 'ceil_mode', 0) !== 0);
}

export function pooledShape(ctx: ShapeContext): Shape {
  const x = requiredInput(ctx, 0);
  return [...x.shape.slice(0, 2), ...poolWindows(ctx.node, x).map((a) => a.output)];
}

/**
 * Maximum along one axis at a time, last axis first: the same maxima as the whole window, and k + k taps instead of k·k. The first maximum
 * of a window takes the whole cotangent, as in PyTorch: the first row with a maximum, and in it the first column.
 */
function maxGradient({ g, node, inputs, outputs, grads, wants }: GradContext): (Value | null)[] {
  const x = inputs[0]!;
  if (!grads[0] || !wants[0]) return [];
  const axes = poolWindows(node, x);
  const stages: { pieces: Value[]; axis: number; max: Value }[] = [];
  let current = x;
  for (let i = axes.length - 1; i >= 0; i--) {
    const pieces = taps(g, current, i + 2, axes[i]!, -Infinity);
    const max = i === 0 ? outputs[0]! : pieces.length === 1 ? pieces[0]! : g.emit('Max', pieces);
    stages.push({ pieces, axis: i + 2, max });
    current = max;
  }
  const zero = scalarLike(g, 0, x);
  return [
    stages.reduceRight((cotangent, { pieces, axis, max }) => {
      let rest = cotangent;
      const shares = pieces.map((piece, t) => {
        if (t === pieces.length - 1) return rest;
        const share = g.where(g.emit('Equal', [piece, max]), rest, zero);
        rest = g.sub(rest, share);
        return share;
      });
      return untap(g, shares, axis, axes[axis - 2]!);
    }, grads[0]),
  ];
}

export const MaxPool: Operator = {
  shape: (ctx) => {
    const shape = pooledShape(ctx);
    return [
      { type: requiredInput(ctx, 0).type, shape },
      { type: 'int64', shape },
    ];
  },
  grad: maxGradient,
  // Its kernel fails where the places of the maxima are asked for.
  webgpu: (node) => !node.outputs[1],
};

/** How many inputs each window position averages over, along one axis. */
export function counts(a: Axis, includePad: boolean): number[] {
  return Array.from({ length: a.output }, (_, o) => {
    let n = 0;
    for (let t = 0; t < a.kernel; t++) {
      const i = o * a.stride + t * a.dilation - a.begin;
      if (includePad ? i < a.input + a.end : i >= 0 && i < a.input) n++;
    }
    return n;
  });
}

function averageGradient({ g, node, inputs, grads }: GradContext): (Value | null)[] {
  const x = inputs[0]!;
  const axes = poolWindows(node, x);
  const perAxis = axes.map((a) => counts(a, intAttr(node, 'count_include_pad', 0) !== 0));
  const uniform = perAxis.every((c) => c.every((n) => n === c[0]));
  const weights = perAxis.reduce<number[]>((outer, c) => outer.flatMap((w) => c.map((n) => w / n)), [1]);
  const weight = uniform
    ? scalarLike(g, weights[0]!, x)
    : g.cast(
        g.constant(
          tensor(
            x.type === 'float64' ? 'float64' : 'float32',
            axes.map((a) => a.output),
            weights,
          ),
        ),
        x.type,
      );
  const scaled = g.mul(grads[0]!, weight);
  return [
    axes.reduce(
      (v, a, i) =>
        untap(
          g,
          Array.from({ length: a.kernel }, () => v),
          i + 2,
          a,
        ),
      scaled,
    ),
  ];
}

export const AveragePool: Operator = {
  shape: (ctx) => [{ type: requiredInput(ctx, 0).type, shape: pooledShape(ctx) }],
  grad: averageGradient,
};

export function globalShape(ctx: ShapeContext): readonly ValueType[] {
  const x = requiredInput(ctx, 0);
  if (x.shape.length < 3)
    throw new Contradiction(
      `${nodeLabel(ctx.node)}: needs an input [batch, channels, spatial …], not [${x.shape.join()}].`,
    );
  return [{ type: x.type, shape: [...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)] }];
}

export const GlobalAveragePool: Operator = {
  shape: globalShape,
  grad: ({ g, inputs, grads }) => {
    const x = inputs[0]!;
    const share = 1 / sizeOf(x.shape.slice(2));
    return [g.expand(g.mul(grads[0]!, scalarLike(g, share, x)), x.shape)];
  },
};

/** The first maximum takes all: its running count is 1 where the mask is 1. */
function globalMaxGradient(g: Builder, x: Value, y: Value, dy: Value): Value {
  const [n, c, ...spatial] = x.shape as [number, number, ...number[]];
  const flat = g.reshape(x, [n, c, sizeOf(spatial)]);
  const mask = g.cast(g.emit('Equal', [flat, g.reshape(y, [n, c, 1])]), x.type);
  const order = g.emit('CumSum', [mask, g.constant(tensor('int32', [], [2]))]);
  const first = g.where(g.emit('Equal', [order, scalarLike(g, 1, x)]), mask, scalarLike(g, 0, x));
  return g.reshape(g.mul(first, g.reshape(dy, [n, c, 1])), x.shape);
}

export const GlobalMaxPool: Operator = {
  shape: globalShape,
  grad: ({ g, inputs, outputs, grads }) => [globalMaxGradient(g, inputs[0]!, outputs[0]!, grads[0]!)],
};
