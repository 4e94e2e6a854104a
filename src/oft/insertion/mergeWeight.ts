/** @file A layer's weight with its adapter merged in, on the host in float64. */
import { blockRotations } from '../rotation/hostRotation.ts';
import type { LayerParameters } from '../rotation/parameters.ts';
import { turnsBack } from './rotate.ts';

/**
 * W′ = D·CᵀW (Diag-OFT), D·C_m…C₁W (BOFT), D·W·Rᵀ (input side) or W·R (embedding); see rotate.ts.
 *
 * @param weight in torch's order: linear [out, in], embedding [in, out], conv [out, in/groups, kernel…], flattened
 * @param strength s: every block becomes sC + (1 − s)I and D acts in full (LyCORIS); 0 gives the weight as it is
 */
export function mergeWeight(parameters: LayerParameters, weight: Float32Array, strength = 1): Float32Array {
  if (strength === 0) return weight.slice();
  const { layer: planned, blocks, rescale } = parameters;
  const { algorithm, side, layer, width, size: b, stages, share } = planned;
  const rowCount = layer.kind === 'embedding' ? layer.in : layer.out;
  const fan = weight.length / rowCount;
  const rotations = blockRotations(planned, blocks, strength);
  const embedding = layer.kind === 'embedding';
  const back = turnsBack(planned) !== embedding;
  // Rows along the width: `step` apart in memory, `across` numbers each, `stride` apart.
  const [step, across, stride] = side === 'output' ? [fan, fan, 1] : [1, rowCount, fan];
  let from: Float64Array = Float64Array.from(weight);
  const perStage = rotations.length / stages;
  for (let s = 0; s < stages; s++) {
    const to = new Float64Array(from.length);
    const rows = rowOrder(width, algorithm === 'diag' ? 0 : 2 ** s * (b / 2));
    for (let k = 0; k < width / b; k++) {
      const c = rotations.subarray(s * perStage + (share ? 0 : k * b * b));
      for (let i = 0; i < b; i++)
        for (let j = 0; j < b; j++) {
          const f = back ? c[j * b + i]! : c[i * b + j]!;
          if (f === 0) continue;
          const target = rows[k * b + i]! * step;
          const source = rows[k * b + j]! * step;
          for (let r = 0; r < across; r++) to[target + r * stride]! += f * from[source + r * stride]!;
        }
    }
    from = to;
  }
  if (rescale)
    for (let row = 0; row < layer.out; row++)
      for (let i = 0; i < fan; i++) from[row * fan + i]! *= rescale[row]!;
  return Float32Array.from(from);
}

/** The order in which a BOFT stage's blocks see the rows: (c, 2, k) as (c, k, 2); k = 0: as they are. */
function rowOrder(width: number, k: number): Int32Array {
  if (k === 0) return Int32Array.from({ length: width }, (_, i) => i);
  return Int32Array.from({ length: width }, (_, i) => {
    const [c, rest] = [Math.floor(i / (2 * k)), i % (2 * k)];
    return c * 2 * k + (rest % 2) * k + Math.floor(rest / 2);
  });
}
