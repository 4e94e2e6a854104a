/** @file The rotations on the host, in float64: for sampling, strength, export and the angles shown. */
import { blockLimit, layerLimit } from './clamp.ts';
import type { Layout } from './parameters.ts';
import { readParameters } from './parameters.ts';
import { numbersPerBlock, storedBlocks } from '../plan/planned.ts';
import type { PlannedLayer } from '../types.ts';

/** Q of each stored block, [stored blocks · b · b], clamped as the plan says. */
export function clampedSkew(planned: PlannedLayer, blocks: Float32Array): Float64Array {
  const { size: b, parameters } = planned;
  const units = storedBlocks(planned);
  const each = numbersPerBlock(planned);
  const q = new Float64Array(units * b * b);
  const perBlock = blockLimit(planned);
  let total = 0;
  for (let k = 0; k < units; k++) {
    let squares = 0;
    let at = k * each;
    for (let i = 0; i < b; i++)
      for (let j = i + 1; j < b; j++) {
        const x =
          parameters === 'full'
            ? blocks[k * each + i * b + j]! - blocks[k * each + j * b + i]!
            : blocks[at++]!;
        q[(k * b + i) * b + j] = x;
        q[(k * b + j) * b + i] = -x;
        squares += 2 * x * x;
      }
    const norm = Math.sqrt(squares);
    if (norm > perBlock) for (let i = k * b * b; i < (k + 1) * b * b; i++) q[i]! *= perBlock / norm;
    total += squares;
  }
  const limit = layerLimit(planned);
  const norm = Math.sqrt(total) + 1e-8;
  if (norm > limit) for (let i = 0; i < q.length; i++) q[i]! *= limit / norm;
  return q;
}

/** M = (I − Q)⁻¹ of one block by Gauss–Jordan with partial pivoting; `q` is b×b, row-major. */
export function inverseBlock(q: Float64Array, b: number): Float64Array {
  const out = new Float64Array(b * b);
  if (q.every((x) => x === 0)) {
    for (let i = 0; i < b; i++) out[i * b + i] = 1;
    return out;
  }
  const width = 2 * b;
  const a = new Float64Array(b * width);
  for (let i = 0; i < b; i++) {
    for (let j = 0; j < b; j++) a[i * width + j] = Number(i === j) - q[i * b + j]!;
    a[i * width + b + i] = 1;
  }
  for (let c = 0; c < b; c++) {
    let pivot = c;
    for (let i = c + 1; i < b; i++)
      if (Math.abs(a[i * width + c]!) > Math.abs(a[pivot * width + c]!)) pivot = i;
    if (pivot !== c)
      for (let j = 0; j < width; j++)
        [a[c * width + j], a[pivot * width + j]] = [a[pivot * width + j]!, a[c * width + j]!];
    const scale = 1 / a[c * width + c]!;
    for (let j = 0; j < width; j++) a[c * width + j]! *= scale;
    for (let i = 0; i < b; i++) {
      const f = a[i * width + c]!;
      if (i === c || f === 0) continue;
      for (let j = 0; j < width; j++) a[i * width + j]! -= f * a[c * width + j]!;
    }
  }
  for (let i = 0; i < b; i++) for (let j = 0; j < b; j++) out[i * b + j] = a[i * width + b + j]!;
  return out;
}

/** C = 2(I − Q)⁻¹ − I of one block; `q` is b×b, row-major. */
export const cayleyBlock = (q: Float64Array, b: number): Float64Array =>
  inverseBlock(q, b).map((x, i) => 2 * x - Number(i % (b + 1) === 0));

/** PEFT's series, see cayleyNeumann (cayley.ts). */
function seriesBlock(q: Float64Array, b: number, terms: number): Float64Array {
  const eye = (scale: number): Float64Array =>
    Float64Array.from({ length: b * b }, (_, i) => (i % (b + 1) === 0 ? scale : 0));
  const multiplyAdd = (x: Float64Array, scale: number): Float64Array => {
    const out = eye(scale);
    for (let i = 0; i < b; i++)
      for (let k = 0; k < b; k++) {
        const f = q[i * b + k]!;
        if (f !== 0) for (let j = 0; j < b; j++) out[i * b + j]! += f * x[k * b + j]!;
      }
    return out;
  };
  if (terms <= 1) return eye(1);
  if (terms === 2) return multiplyAdd(eye(2), 1);
  let inner: Float64Array = q.map((x, i) => x + (i % (b + 1) === 0 ? 2 : 0));
  for (let power = Math.max(terms, 4) - 2; power > 1; power--) inner = multiplyAdd(inner, 2);
  return multiplyAdd(inner, 1);
}

/**
 * Each stored block's sC + (1 − s)I, [stored blocks · b · b]: LyCORIS's meaning of strength (multiplier).
 * @param strength 0: untouched, 1: as trained; any number is allowed.
 */
export function blockRotations(planned: PlannedLayer, blocks: Float32Array, strength = 1): Float64Array {
  const { size: b, neumannTerms } = planned;
  const all = clampedSkew(planned, blocks);
  for (let at = 0; at < all.length; at += b * b) {
    const q = all.subarray(at, at + b * b);
    const c = neumannTerms === null ? cayleyBlock(q, b) : seriesBlock(q, b, neumannTerms);
    for (let i = 0; i < b * b; i++) q[i] = strength * c[i]! + (1 - strength) * Number(i % (b + 1) === 0);
  }
  return all;
}

/** Feed of the i-th whole weight, which has no strength: a model without its head is none. */
export const wholeFeed = (i: number): string => `whole_${i}`;

/** Feeds of the forward program (program/forward.ts): `rotation_<group>` and `rescale`. LyCORIS applies D in full at any strength but 0 means untouched here. */
export function hostRotations(
  layout: Layout,
  theta: Float32Array,
  strength = 1,
): Record<string, Float32Array> {
  const layers = readParameters(layout, theta);
  const feeds: Record<string, Float32Array> = {};
  for (const group of layout.groups) {
    const all = new Float32Array(group.count * group.size ** 2);
    for (const l of group.layers)
      all.set(
        blockRotations(layout.planned[l.index]!, layers[l.index]!.blocks, strength),
        l.first * group.size ** 2,
      );
    feeds[`rotation_${group.name}`] = all;
  }
  if (layout.rescaleLength > 0) {
    const all = new Float32Array(layout.rescaleLength);
    for (const r of layout.rescales)
      all.set(
        strength === 0 ? new Float32Array(r.length).fill(1) : layers[r.index]!.rescale!,
        r.offset - layout.rescaleOffset,
      );
    feeds['rescale'] = all;
  }
  layout.whole.forEach(({ offset, length }, i) => {
    feeds[wholeFeed(i)] = theta.slice(offset, offset + length);
  });
  return feeds;
}

/** Turning angles of a layer in degrees: 2·atan(μ) for the eigenvalues ±iμ of Q. mean: of the root mean square μ; largest: of ‖Q‖₂ (power iteration). */
export function layerAngles(planned: PlannedLayer, blocks: Float32Array): { mean: number; largest: number } {
  const { size: b } = planned;
  const q = clampedSkew(planned, blocks);
  let squares = 0;
  let top = 0;
  for (let at = 0; at < q.length; at += b * b) {
    const block = q.subarray(at, at + b * b);
    const own = block.reduce((sum, x) => sum + x * x, 0);
    squares += own;
    if (Math.sqrt(own / 2) > top) top = Math.max(top, spectralNorm(block, b));
  }
  const degrees = (mu: number): number => (2 * Math.atan(mu) * 180) / Math.PI;
  return { mean: degrees(Math.sqrt(squares / Math.max(1, q.length / b))), largest: degrees(top) };
}

function spectralNorm(q: Float64Array, b: number): number {
  let x = Float64Array.from({ length: b }, (_, i) => 1 + 0.37 * i);
  let norm = 0;
  for (let round = 0; round < 30; round++) {
    const y = new Float64Array(b);
    for (let i = 0; i < b; i++) for (let j = 0; j < b; j++) y[i]! += q[i * b + j]! * x[j]!;
    norm = Math.hypot(...y) / Math.hypot(...x);
    if (norm === 0) return 0;
    x = y.map((v) => v / (norm || 1));
  }
  return norm;
}
