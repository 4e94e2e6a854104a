/** @file GridSample and AffineGrid: reading an image at computed positions. Formulas as in the ONNX specification of GridSample-20. */
import { intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import { contradicts, intsOf } from '../entries/arguments.ts';
import { commonType, requiredInput, scalarLike } from '../entries/common.ts';
import type { Operator } from '../types.ts';

interface Sampling {
  readonly kernel: 'linear' | 'nearest' | 'cubic';
  readonly outside: string;
  readonly aligned: boolean;
}

function samplingOf(node: Node): Sampling {
  const mode = stringAttr(node, 'mode', 'linear').replace(/^bi/, '');
  const outside = stringAttr(node, 'padding_mode', 'zeros');
  if (mode !== 'linear' && mode !== 'nearest' && mode !== 'cubic')
    contradicts(node, `mode "${mode}" is not known.`);
  if (!['zeros', 'border', 'reflection'].includes(outside))
    contradicts(node, `padding_mode "${outside}" is not known.`);
  return { kernel: mode, outside, aligned: intAttr(node, 'align_corners', 0) === 1 };
}

const clip = (g: Builder, x: Value, length: number): Value =>
  g.emit('Clip', [x, scalarLike(g, 0, x), scalarLike(g, length - 1, x)]);

/** Positions mirrored into the image: at its outermost pixels' centres where aligned, else at their outer edges. */
function reflected(g: Builder, x: Value, length: number, aligned: boolean): Value {
  const k = (v: number): Value => scalarLike(g, v, x);
  const low = aligned ? 0 : -0.5;
  const span = aligned ? length - 1 : length;
  if (span === 0) return g.mul(x, k(0));
  const distance = g.emit('Abs', [g.sub(x, k(low))]);
  const flips = g.emit('Floor', [g.div(distance, k(span))]);
  const rest = g.sub(distance, g.mul(flips, k(span)));
  const half = g.mul(flips, k(0.5));
  const even = g.emit('Equal', [g.emit('Floor', [half]), half]);
  return g.add(g.where(even, rest, g.sub(k(span), rest)), k(low));
}

/** Keys' kernel with a = −¾ at distance t from the second of four neighbours. */
function cubicWeights(g: Builder, t: Value): Value[] {
  const k = (v: number): Value => scalarLike(g, v, t);
  const a = -0.75;
  const near = (d: Value): Value => g.add(g.mul(g.mul(g.sub(g.mul(d, k(a + 2)), k(a + 3)), d), d), k(1));
  const far = (d: Value): Value => g.mul(g.sub(g.mul(g.add(g.mul(g.sub(d, k(5)), d), k(8)), d), k(4)), k(a));
  const rest = g.sub(k(1), t);
  return [far(g.add(t, k(1))), near(t), near(rest), far(g.add(rest, k(1)))];
}

/** One neighbour along one axis: its index (int32, inside the image) and its weight; null: 1. */
interface Neighbour {
  readonly index: Value;
  readonly weight: Value | null;
}

/** Neighbours along an axis of `length` of positions in −1 … 1. */
function neighbours(g: Builder, at: Value, length: number, s: Sampling): Neighbour[] {
  const k = (v: number): Value => scalarLike(g, v, at);
  const scale = (s.aligned ? length - 1 : length) / 2;
  let x = g.add(g.mul(at, k(scale)), k((length - 1) / 2));
  const inside = (v: Value): Value =>
    clip(g, s.outside === 'reflection' ? reflected(g, v, length, s.aligned) : v, length);
  // Cubic weights come from the position as it is; only the neighbours are brought inside.
  if (s.kernel !== 'cubic' && s.outside !== 'zeros') x = inside(x);
  const first = g.emit(s.kernel === 'nearest' ? 'Round' : 'Floor', [x]);
  const t = g.sub(x, first);
  const weights =
    s.kernel === 'nearest' ? [null] : s.kernel === 'linear' ? [g.sub(k(1), t), t] : cubicWeights(g, t);
  const offset = s.kernel === 'cubic' ? -1 : 0;
  return weights.map((weight, i) => {
    const place = offset + i === 0 ? first : g.add(first, k(offset + i));
    const index = g.cast(inside(place), 'int32');
    if (s.outside !== 'zeros') return { index, weight };
    const within = g.emit('And', [
      g.emit('Greater', [place, k(-0.5)]),
      g.emit('Less', [place, k(length - 0.5)]),
    ]);
    return { index, weight: g.where(within, weight ?? k(1), k(0)) };
  });
}

export const GridSample: Operator = {
  shape: (ctx) => {
    const [x, grid] = [requiredInput(ctx, 0), requiredInput(ctx, 1)];
    const spatial = x.shape.length - 2;
    const { kernel } = samplingOf(ctx.node);
    if (![2, 3].includes(spatial) || (kernel === 'cubic' && spatial === 3))
      contradicts(ctx.node, `mode ${kernel} does not sample an image of shape [${x.shape.join()}].`);
    if (grid.shape.length !== spatial + 2 || grid.shape[0] !== x.shape[0] || grid.shape.at(-1) !== spatial)
      contradicts(
        ctx.node,
        `a grid of shape [${grid.shape.join()}] does not fit an image of [${x.shape.join()}].`,
      );
    return [
      { type: commonType(ctx.node, [x, grid]), shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)] },
    ];
  },
  // Pixels are rows of channels: every neighbour is one Gather, and its gradient one scatter.
  expand: (g, node, inputs) => {
    const [x, grid] = inputs as [Value, Value];
    const s = samplingOf(node);
    const [n, c, ...lengths] = x.shape as [number, number, ...number[]];
    const places = grid.shape.slice(1, -1);
    const count = sizeOf(places);
    const axes = lengths.map((_, i) => i);
    const rows = g.reshape(g.transpose(x, [0, ...axes.map((i) => i + 2), 1]), [n * sizeOf(lengths), c]);
    const points = g.reshape(grid, [n, count, lengths.length]);
    // The grid's last axis names the image's axes from the last on.
    const parts = g.split(
      points,
      2,
      axes.map(() => 1),
    );
    const ints = (values: readonly number[], shape: readonly number[]): Value =>
      g.constant(tensor('int32', shape, values));
    const starts = Array.from({ length: n }, (_, i) => i * sizeOf(lengths));
    let found: Neighbour[] = [{ index: ints(starts, [n, 1, 1]), weight: null }];
    lengths.forEach((length, i) => {
      const stride = ints([sizeOf(lengths.slice(i + 1))], []);
      const along = neighbours(g, parts[lengths.length - 1 - i]!, length, s);
      const steps = along.map((a) => ({ ...a, index: g.mul(a.index, stride) }));
      found = found.flatMap((f) =>
        steps.map((a) => ({
          index: g.add(f.index, a.index),
          weight: f.weight && a.weight ? g.mul(f.weight, a.weight) : (f.weight ?? a.weight),
        })),
      );
    });
    const sum = found
      .map(({ index, weight }) => {
        const pixels = g.emit('Gather', [rows, g.reshape(index, [n, count])]);
        return weight ? g.mul(pixels, weight) : pixels;
      })
      .reduce((a, b) => g.add(a, b));
    return [g.reshape(g.transpose(sum, [0, 2, 1]), [n, c, ...places])];
  },
};

/** Centres of `length` pixels in −1 … 1; aligned: the outermost are the ends. */
const centres = (length: number, aligned: boolean): number[] =>
  Array.from({ length }, (_, i) =>
    aligned ? (length === 1 ? 0 : (2 * i) / (length - 1) - 1) : (2 * i + 1) / length - 1,
  );

/** The positions that the affine map θ gives to an image's pixels: [x, y (, z), 1]·θᵀ. */
export const AffineGrid: Operator = {
  shape: (ctx) => {
    const theta = requiredInput(ctx, 0);
    const size = intsOf(ctx, 1, 'size');
    const spatial = size.length - 2;
    if (theta.shape.join() !== [size[0], spatial, spatial + 1].join())
      contradicts(
        ctx.node,
        `θ of shape [${theta.shape.join()}] does not fit images of shape [${size.join()}].`,
      );
    return [{ type: theta.type, shape: [size[0]!, ...size.slice(2), spatial] }];
  },
  expand: (g, node, [theta, sizeInput]) => {
    const [n, , ...lengths] = numbersOf(g.constantValue(sizeInput)!) as [number, number, ...number[]];
    const aligned = intAttr(node, 'align_corners', 0) === 1;
    let points: number[][] = [[]];
    for (const length of lengths)
      points = points.flatMap((p) => centres(length, aligned).map((c) => [c, ...p]));
    const base = tensor(
      'float32',
      [points.length, lengths.length + 1],
      points.flatMap((p) => [...p, 1]),
    );
    const grid = g.matMul(g.cast(g.constant(base), theta!.type), g.mT(theta!));
    return [g.reshape(grid, [n, ...lengths, lengths.length])];
  },
};
