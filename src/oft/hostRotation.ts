/** @file The rotations on the host, in float64: for sampling, strength, export and the angles shown. */
import type { Layout } from './parameters.ts';
import { readParameters } from './parameters.ts';
import type { PlannedLayer } from './types.ts';

/** Factor by which LyCORIS's constraint shrinks a layer's whole Q; see rotations.ts. */
export function constraintFactor(planned: PlannedLayer, blocks: Float32Array): number {
  const limit = planned.constraint * planned.layer.out;
  if (limit <= 0) return 1;
  const b = planned.size;
  let squares = 0;
  for (let k = 0; k < planned.count; k++)
    for (let i = 0; i < b; i++)
      for (let j = 0; j < b; j++)
        squares += (blocks[(k * b + i) * b + j]! - blocks[(k * b + j) * b + i]!) ** 2;
  const norm = Math.sqrt(squares) + 1e-8;
  return norm > limit ? limit / norm : 1;
}

/** C = 2(I − Q)⁻¹ − I of one block by Gauss–Jordan with partial pivoting; `q` is b×b, row-major. */
export function cayleyBlock(q: Float64Array, b: number): Float64Array {
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
  const out = new Float64Array(b * b);
  for (let i = 0; i < b; i++)
    for (let j = 0; j < b; j++) out[i * b + j] = 2 * a[i * width + b + j]! - Number(i === j);
  return out;
}

/**
 * Each block's sC + (1 − s)I, [n·b·b]: LyCORIS's meaning of strength (multiplier).
 * @param strength 0: untouched, 1: as trained; any number is allowed.
 */
export function layerRotation(planned: PlannedLayer, blocks: Float32Array, strength = 1): Float32Array {
  const { count: n, size: b } = planned;
  const factor = constraintFactor(planned, blocks);
  const out = new Float32Array(n * b * b);
  const q = new Float64Array(b * b);
  for (let k = 0; k < n; k++) {
    const at = k * b * b;
    for (let i = 0; i < b; i++)
      for (let j = 0; j < b; j++) q[i * b + j] = factor * (blocks[at + i * b + j]! - blocks[at + j * b + i]!);
    const c = cayleyBlock(q, b);
    for (let i = 0; i < b * b; i++)
      out[at + i] = strength * c[i]! + (1 - strength) * Number(i % (b + 1) === 0);
  }
  return out;
}

/** Feeds of the forward program (program/forward.ts): `rotation_<b>` and `rescale`. LyCORIS applies D in full at any strength but 0 means untouched here. */
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
        layerRotation(layout.planned[l.index]!, layers[l.index]!.blocks, strength),
        l.first * group.size ** 2,
      );
    feeds[`rotation_${group.size}`] = all;
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
  return feeds;
}

/** Turning angles of a layer in degrees: 2·atan(μ) for the eigenvalues ±iμ of Q. mean: of the root mean square μ; largest: of ‖Q‖₂ (power iteration). */
export function layerAngles(planned: PlannedLayer, blocks: Float32Array): { mean: number; largest: number } {
  const { count: n, size: b } = planned;
  const factor = constraintFactor(planned, blocks);
  let squares = 0;
  let top = 0;
  const q = new Float64Array(b * b);
  for (let k = 0; k < n; k++) {
    let own = 0;
    for (let i = 0; i < b; i++)
      for (let j = 0; j < b; j++) {
        const x = factor * (blocks[(k * b + i) * b + j]! - blocks[(k * b + j) * b + i]!);
        q[i * b + j] = x;
        own += x * x;
      }
    squares += own;
    if (Math.sqrt(own / 2) > top) top = Math.max(top, spectralNorm(q, b));
  }
  const degrees = (mu: number): number => (2 * Math.atan(mu) * 180) / Math.PI;
  return { mean: degrees(Math.sqrt(squares / (n * b))), largest: degrees(top) };
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
