/** @file From trained numbers to the skew-symmetric Q, as graph: the two parametrisations, and the clamps of COFT. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { blockLimit, layerLimit } from './clamp.ts';
import { type BlockGroup, type Layout } from './parameters.ts';
import { numbersPerBlock } from '../plan/planned.ts';

/** Q [count, b, b] of a group's numbers [count · numbers of one block]. */
export function skewOf(g: Builder, group: BlockGroup, numbers: Value): Value {
  const { count, size } = group;
  if (group.parameters === 'full') {
    const blocks = g.reshape(numbers, [count, size, size]);
    return g.sub(blocks, g.mT(blocks));
  }
  return fromTriangle(g, g.reshape(numbers, [count, numbersPerBlock(group)]), size);
}

/** Flat positions in a b×b matrix of the numbers above the diagonal, row by row, as torch.triu_indices(b, b, 1) orders them. */
export function upperIndices(size: number): { upper: Int32Array; lower: Int32Array } {
  const upper: number[] = [];
  const lower: number[] = [];
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      upper.push(i * size + j);
      lower.push(j * size + i);
    }
  return { upper: Int32Array.from(upper), lower: Int32Array.from(lower) };
}

/** Q with v above the diagonal and −v below. ∂v = ∂Q above − ∂Q below: two Gathers, where the plain rule would scatter. */
function fromTriangle(g: Builder, v: Value, size: number): Value {
  const { upper, lower } = upperIndices(size);
  const source = new Int32Array(size * size);
  const sign = new Float32Array(size * size);
  upper.forEach((at, k) => {
    source[at] = source[lower[k]!] = k;
    sign[at] = 1;
    sign[lower[k]!] = -1;
  });
  const count = v.shape[0]!;
  const index = (name: string, data: Int32Array): Value =>
    g.constant(tensor('int32', [data.length], data), name);
  const spread = g.emit('Gather', [v, index('triangle', source)], { axis: 1 });
  const q = g.reshape(g.mul(spread, g.constant(tensor('float32', [size * size], sign), 'sign')), [
    count,
    size,
    size,
  ]);
  return g.composite('skew', [v], q, (dq) => {
    const flat = g.reshape(dq, [count, size * size]);
    const pick = (name: string, data: Int32Array): Value =>
      g.emit('Gather', [flat, index(name, data)], { axis: 1 });
    return [g.sub(pick('upper', upper), pick('lower', lower))];
  });
}

/**
 * The clamps that bound a layer's whole Q (clamp lycoris, comfyui): with limit c, the factor c/(‖Q‖ + 1e-8) while ‖Q‖ + 1e-8 > c.
 * Differentiates through the norm, as LyCORIS does in eager mode.
 */
export function clampLayers(g: Builder, layout: Layout, group: BlockGroup, q: Value): Value {
  const limits = group.layers.map((l) => layerLimit(layout.planned[l.index]!));
  if (limits.every((c) => c === Infinity)) return q;
  const membership = new Float32Array(group.layers.length * group.count);
  group.layers.forEach((l, row) =>
    membership.fill(1, row * group.count + l.first, row * group.count + l.first + l.count),
  );
  const member = g.constant(tensor('float32', [group.layers.length, group.count], membership), 'member');
  const squares = g.reduceSum(g.mul(q, q), [1, 2], false);
  const perLayer = g.matMul(member, g.reshape(squares, [group.count, 1]));
  // The tiny term keeps √'s derivative finite at Q = 0; it is below float32's resolution of any norm that matters.
  const norm = g.add(g.sqrt(g.add(perLayer, g.scalar(1e-30))), g.scalar(1e-8));
  const limit = g.constant(tensor('float32', [limits.length, 1], limits.map(finite)), 'limit');
  const factor = g.where(g.emit('Greater', [norm, limit]), g.div(limit, norm), g.scalar(1));
  return g.mul(q, g.reshape(g.matMul(g.mT(member), factor), [group.count, 1, 1]));
}

const finite = (c: number): number => (c === Infinity ? 3e38 : c);

/**
 * The clamps that bound each stored block in place (clamp peft, paper): the vector with every block beyond its limit scaled back to it.
 * The step trains from there; no gradient passes the projection, as in PEFT.
 */
export function projectParameters(g: Builder, layout: Layout, theta: Value): Value {
  const limited = layout.groups.filter((group) =>
    group.layers.some((l) => blockLimit(layout.planned[l.index]!) !== Infinity),
  );
  if (limited.length === 0) return theta;
  const lengths = layout.groups.map((group) => group.count * numbersPerBlock(group));
  const rest = layout.size - lengths.reduce((a, b) => a + b, 0);
  const parts = g.split(theta, 0, rest > 0 ? [...lengths, rest] : lengths);
  return g.concat(
    parts.map((part, i) => {
      const group = layout.groups[i];
      if (!group || !limited.includes(group)) return part;
      const limits = group.layers.flatMap((l) =>
        Array<number>(l.count).fill(finite(blockLimit(layout.planned[l.index]!))),
      );
      const rows = g.reshape(part, [group.count, numbersPerBlock(group)]);
      const q = group.parameters === 'full' ? skewOf(g, group, part) : null;
      const squares = q
        ? g.reduceSum(g.mul(q, q), [1, 2], false)
        : g.mul(g.scalar(2), g.reduceSum(g.mul(rows, rows), [1], false));
      const norm = g.sqrt(g.reshape(squares, [group.count, 1]));
      const limit = g.constant(tensor('float32', [group.count, 1], limits), 'limit');
      const factor = g.where(g.emit('Greater', [norm, limit]), g.div(limit, norm), g.scalar(1));
      return g.reshape(g.mul(rows, factor), part.shape);
    }),
    0,
  );
}
