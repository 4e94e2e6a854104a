/** @file A layer's stored numbers in the forms that files hold: full matrices B or upper triangles v, clamp baked in or not, shared or written out. */
import { blockLimit, layerLimit } from '#src/oft/rotation/clamp.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { blockNumbers, storedBlocks } from '#src/oft/plan/planned.ts';

/** Throws FormatError where the numbers are not as many as the plan says. */
export function checkNumbers({ layer: planned, blocks, rescale }: LayerParameters): void {
  const { path, out } = planned.layer;
  const wanted = blockNumbers(planned);
  if (blocks.length !== wanted)
    throw new RangeError(
      `${path}: ${storedBlocks(planned)} blocks of ${planned.size}×${planned.size} take ${wanted} numbers, ${blocks.length} were given.`,
    );
  if (rescale && rescale.length !== out)
    throw new RangeError(`${path}: rescale takes ${out} numbers, ${rescale.length} were given.`);
}

/** Q of every stored block, before any clamp, [stored · b · b]: B − Bᵀ, or v above the diagonal and −v below. */
export function skewBlocks({ layer: planned, blocks }: LayerParameters): Float64Array {
  const { size: b, parameters } = planned;
  const units = storedBlocks(planned);
  const q = new Float64Array(units * b * b);
  let next = 0;
  for (let k = 0; k < units; k++) {
    const at = k * b * b;
    for (let i = 0; i < b; i++)
      for (let j = i + 1; j < b; j++) {
        const x = parameters === 'full' ? blocks[at + i * b + j]! - blocks[at + j * b + i]! : blocks[next++]!;
        q[at + i * b + j] = x;
        q[at + j * b + i] = -x;
      }
  }
  return q;
}

/** Whether the layer has a constraint at all. */
export const isClamped = ({ constraint }: LayerParameters['layer']): boolean => constraint > 0;

/** Shrinks Q in place as the layer's constraint does, and returns it. */
export function bakeClamp({ layer: planned }: LayerParameters, q: Float64Array): Float64Array {
  const squared = planned.size ** 2;
  const shrink = (from: number, to: number, limit: number, tiny: number): void => {
    if (limit === Infinity) return;
    let squares = 0;
    for (let i = from; i < to; i++) squares += q[i]! ** 2;
    const norm = Math.sqrt(squares) + tiny;
    if (norm > limit) for (let i = from; i < to; i++) q[i]! *= limit / norm;
  };
  shrink(0, q.length, layerLimit(planned), 1e-8);
  for (let at = 0; at < q.length; at += squared) shrink(at, at + squared, blockLimit(planned), 0);
  return q;
}

/** Q after the layer's constraint. */
export const clampedSkew = (parameters: LayerParameters): Float64Array =>
  isClamped(parameters.layer) ? bakeClamp(parameters, skewBlocks(parameters)) : skewBlocks(parameters);

/** Every stage's one block n times, where all n are one; else the array itself. */
export function writtenOut<T extends Float32Array | Float64Array>(
  { count, stages, share, size }: LayerParameters['layer'],
  perBlock: T,
): T {
  if (!share || count === 1) return perBlock;
  const one = size * size;
  const Ctor = perBlock.constructor as new (length: number) => T;
  const all = new Ctor(stages * count * one);
  for (let m = 0; m < stages; m++)
    for (let k = 0; k < count; k++) all.set(perBlock.subarray(m * one, (m + 1) * one), (m * count + k) * one);
  return all;
}

/** B of every block [stages · n · b · b] with Q = B − Bᵀ: the trained B itself where it is one, else Q/2, which is what training makes of B in LyCORIS. */
export function fullBlocks(parameters: LayerParameters, bake: boolean): Float32Array {
  const { layer: planned, blocks } = parameters;
  if (planned.parameters === 'full' && !(bake && isClamped(planned))) return writtenOut(planned, blocks);
  const q = bake ? clampedSkew(parameters) : skewBlocks(parameters);
  return writtenOut(
    planned,
    Float32Array.from(q, (x) => x / 2),
  );
}

/** v of every stored block [stored · b(b−1)/2]: Q above the diagonal, row by row. `sign` −1 turns the other way. */
export function triangles(parameters: LayerParameters, bake: boolean, sign: 1 | -1 = 1): Float32Array {
  const { layer: planned, blocks } = parameters;
  if (planned.parameters === 'triangle' && !(bake && isClamped(planned)) && sign === 1) return blocks;
  const q = bake ? clampedSkew(parameters) : skewBlocks(parameters);
  const b = planned.size;
  const units = storedBlocks(planned);
  const v = new Float32Array((units * b * (b - 1)) / 2);
  let next = 0;
  for (let k = 0; k < units; k++)
    for (let i = 0; i < b; i++) for (let j = i + 1; j < b; j++) v[next++] = sign * q[(k * b + i) * b + j]!;
  return v;
}

/** b of a triangle of b(b−1)/2 numbers; undefined if no b has so many. */
export function triangleSize(numbers: number): number | undefined {
  const b = Math.round((1 + Math.sqrt(1 + 8 * numbers)) / 2);
  return (b * (b - 1)) / 2 === numbers ? b : undefined;
}
