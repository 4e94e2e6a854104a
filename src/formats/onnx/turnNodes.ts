/**
 * @file A layer's rotation as nodes on what flows through it, C_m…C₁ applied to an activation: for weights that cannot take it in. They mean what
 * rotateActivation (oft/insertion/rotate.ts) means in a training graph, and what mergeWeight does to the weight.
 */
import { turnsBack } from '#src/oft/insertion/rotate.ts';
import { blockRotations } from '#src/oft/rotation/hostRotation.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import type { DType } from '#src/onnx/model.ts';
import { tensor } from '#src/onnx/tensor.ts';
import type { NodeSketch } from './nodeSketch.ts';

/** Where the turned axis lies. rows: it is the last; channels: the second, of [N, groups · width, …]. */
type Place = 'rows' | 'channels';

/** The matrices of one stage as a MatMul takes them: from the right on rows, from the left on channels. [n or 1, b, b] */
function factor(
  { size: b }: PlannedLayer,
  blocks: Float64Array,
  transposed: boolean,
): { readonly shape: readonly number[]; readonly data: Float64Array } {
  const shape = [blocks.length / (b * b), b, b];
  if (!transposed) return { shape, data: blocks };
  const data = new Float64Array(blocks.length);
  for (let at = 0; at < blocks.length; at += b * b)
    for (let i = 0; i < b; i++) for (let j = 0; j < b; j++) data[at + i * b + j] = blocks[at + j * b + i]!;
  return { shape, data };
}

/**
 * Turns a value: a layer's output y by F (y′ = F·y), or its input x by Fᵀ (W·Fᵀ·x), where W′ = F·W or W·Fᵀ.
 *
 * @param x name of the value: [… width], or of a convolution [N, groups · width, …]
 * @param strength as in mergeWeight
 * @param type element type of the value, and of the matrices
 * @param output name of the result; absent: a new one
 * @returns name of the result, which has the value's shape
 */
export function turn(
  sketch: NodeSketch,
  x: string,
  { layer: planned, blocks }: LayerParameters,
  { strength, type, output }: { readonly strength: number; readonly type: DType; readonly output?: string },
): string {
  const { layer, side, algorithm, stages, size: b, count: n } = planned;
  const place: Place = layer.kind === 'conv' ? 'channels' : 'rows';
  const embedding = layer.kind === 'embedding';
  const behind = side === 'output' || embedding;
  // F = Cᵀ or C; from the left Fᵀ meets an input, and what meets a column from the left meets a row from the right transposed.
  const back = turnsBack(planned) !== embedding;
  const transposed = (back === behind) !== (place === 'rows');
  const rotations = blockRotations(planned, blocks, strength);
  const each = rotations.length / stages;
  const order = Array.from({ length: stages }, (_, i) => i);
  if (!behind) order.reverse();
  const matrices = order.map((i) => {
    const { shape, data } = factor(planned, rotations.slice(i * each, (i + 1) * each), transposed);
    return { step: 2 ** i * (b / 2), shape, data };
  });
  const matrix = ({ shape, data }: (typeof matrices)[number], axes = shape): string =>
    sketch.constant('R', tensor(type, axes, data));
  // One block over the whole width takes no other shape.
  if (place === 'rows' && n === 1 && algorithm === 'diag')
    return sketch.emit('MatMul', [x, matrix(matrices[0]!, [b, b])], {}, output);
  const whole = sketch.emit('Shape', [x]);
  const groups = side === 'input' && layer.groups > 1 ? [layer.groups] : [];
  const [before, after] = place === 'rows' ? [[-1], []] : [[0, ...groups], [-1]];
  const reshape = (v: string, ...axes: readonly number[]): string =>
    sketch.emit('Reshape', [v, sketch.shape([...before, ...axes, ...after])]);
  const lead = before.length;
  const swapped = [...before.map((_, i) => i), lead, lead + 2, lead + 1, ...after.map(() => lead + 3)];
  const swap = (v: string): string => sketch.emit('Transpose', [v], { perm: swapped });
  /** BOFT's permutation: rows (c, 2, k) are seen by the blocks as (c, k, 2). */
  const butterfly = (v: string, k: number, way: 'in' | 'out'): string => {
    const c = planned.width / (2 * k);
    return swap(way === 'in' ? reshape(v, c, 2, k) : reshape(v, c, k, 2));
  };
  let value = x;
  for (const stage of matrices) {
    const apart = algorithm === 'boft' && stage.step > 1;
    const cut = reshape(apart ? butterfly(value, stage.step, 'in') : value, n, b);
    const front = (v: string): string =>
      place === 'rows' ? sketch.emit('Transpose', [v], { perm: [1, 0, 2] }) : v;
    const operands = [front(cut), matrix(stage)];
    if (place === 'channels') operands.reverse();
    const turned = front(sketch.emit('MatMul', operands));
    value = apart ? butterfly(turned, stage.step, 'out') : turned;
  }
  return sketch.emit('Reshape', [value, whole], {}, output);
}
