/** @file Windows as slices (im2col) and back (col2im), axis by axis, from Pad, Slice, Concat and Reshape: any rank, any element type. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { scalarLike } from '../entries/common.ts';
import { type Axis, span } from './window.ts';

/** Pads one axis with `value` (default 0). */
export function padAxis(
  g: Builder,
  x: Value,
  axis: number,
  begin: number,
  end: number,
  value?: number,
): Value {
  if (begin === 0 && end === 0) return x;
  const rank = x.shape.length;
  const pads = Array.from({ length: 2 * rank }, (_, i) => (i === axis ? begin : i === axis + rank ? end : 0));
  return g.emit(
    'Pad',
    [x, g.ints(pads), value === undefined ? null : scalarLike(g, value, x)].filter((v, i) => v || i < 2),
  );
}

/** For each tap t of the window the inputs that it meets at all positions: `kernel` values with axis length `output`. */
export function taps(g: Builder, x: Value, axis: number, w: Axis, fill?: number): Value[] {
  const needed = (w.output - 1) * w.stride + span(w);
  const padded = padAxis(g, x, axis, w.begin, Math.max(0, needed - w.begin - w.input), fill);
  if (w.kernel === 1 && w.stride === 1 && padded.shape[axis] === w.output) return [padded];
  return Array.from({ length: w.kernel }, (_, t) => {
    const start = t * w.dilation;
    const end = start + (w.output - 1) * w.stride + 1;
    return w.stride === 1
      ? g.slice(padded, [start], [end], [axis])
      : g.slice(padded, [start], [end], [axis], [w.stride]);
  });
}

/** The adjoint of `taps`: one cotangent per tap, summed into an axis of length `input`. */
export function untap(g: Builder, pieces: readonly Value[], axis: number, w: Axis): Value {
  const shape = pieces[0]!.shape;
  const withAxis = (...dims: number[]) => [...shape.slice(0, axis), ...dims, ...shape.slice(axis + 1)];
  let sum: Value;
  if (w.stride === w.kernel && w.dilation === 1) {
    // Windows side by side: the taps interleave.
    const columns = pieces.map((p) => g.reshape(p, withAxis(w.output, 1)));
    sum = g.reshape(g.concat(columns, axis + 1), withAxis(w.output * w.kernel));
  } else {
    const spread = new Map<Value, Value>();
    const spreadOut = (p: Value): Value => {
      if (w.stride === 1) return p;
      const known = spread.get(p);
      if (known) return known;
      const gaps = padAxis(g, g.reshape(p, withAxis(w.output, 1)), axis + 1, 0, w.stride - 1);
      const out = g.reshape(gaps, withAxis(w.output * w.stride));
      spread.set(p, out);
      return out;
    };
    const last = (w.kernel - 1) * w.dilation;
    sum = pieces
      .map((p, t) => padAxis(g, spreadOut(p), axis, t * w.dilation, last - t * w.dilation))
      .reduce((a, b) => g.add(a, b));
  }
  const length = sum.shape[axis]!;
  const end = w.begin + w.input;
  if (w.begin > 0 || length > end) sum = g.slice(sum, [w.begin], [Math.min(end, length)], [axis]);
  return padAxis(g, sum, axis, 0, w.input - sum.shape[axis]!);
}
