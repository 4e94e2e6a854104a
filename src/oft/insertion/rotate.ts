/** @file Multiplies one axis of a tensor by a layer's rotation: of the weight, or of what flows into or out of the layer. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { PlannedLayer } from '../types.ts';

/**
 * Whether rows along the width are multiplied by Cᵀ (else C). Output: Diag-OFT W′ = CᵀW, BOFT W′ = C_m…C₁W (LyCORIS). Input:
 * W′ᵀ = R·Wᵀ with R = C by the series and R = C(−Q) = Cᵀ exact (PEFT).
 */
export const turnsBack = ({ side, algorithm, neumannTerms }: PlannedLayer): boolean =>
  side === 'output' ? algorithm === 'diag' : neumannTerms === null;

/**
 * Rows of x along its middle axis, multiplied block by block.
 * @param x [before, width, after]
 * @param rotation C of the stored blocks [stored blocks, b, b]
 * @param inverse multiplies by the transposed factor, stages in reverse: for orthogonal C the way back, and what an input x meets
 * where W′ = W·Rᵀ
 */
export function rotateAxis(
  g: Builder,
  x: Value,
  planned: PlannedLayer,
  rotation: Value,
  inverse = false,
): Value {
  const { algorithm, stages, size: b } = planned;
  const back = turnsBack(planned) !== inverse;
  if (algorithm === 'diag') return multiply(g, x, planned, rotation, back);
  const own = rotation.shape[0]! / stages;
  const each = g.split(rotation, 0, Array<number>(stages).fill(own));
  const order = each.map((_, i) => i);
  if (inverse) order.reverse();
  for (const i of order) {
    const mixed = multiply(g, butterfly(g, x, 2 ** i * (b / 2), 'in'), planned, each[i]!, back);
    x = butterfly(g, mixed, 2 ** i * (b / 2), 'out');
  }
  return x;
}

/** Blocks of the middle axis by C or Cᵀ. */
function multiply(
  g: Builder,
  x: Value,
  { count: n, size: b }: PlannedLayer,
  c: Value,
  transposed: boolean,
): Value {
  const [before, width, after] = x.shape as [number, number, number];
  if (after === 1) {
    const blocks = g.transpose(g.reshape(x, [before, n, b]), [1, 0, 2]);
    const turned = g.matMul(blocks, transposed ? c : g.mT(c));
    return g.reshape(g.transpose(turned, [1, 0, 2]), [before, width, after]);
  }
  const factor = transposed ? g.mT(c) : c;
  const shape = before === 1 ? [n, b, after] : [before, n, b, after];
  return g.reshape(g.matMul(factor, g.reshape(x, shape)), [before, width, after]);
}

/** BOFT's permutation (2311.06243): rows (c, 2, k) are seen by the blocks as (c, k, 2), so that rows k apart meet. */
function butterfly(g: Builder, x: Value, k: number, way: 'in' | 'out'): Value {
  const [before, width, after] = x.shape as [number, number, number];
  if (k === 1) return x;
  const c = width / (2 * k);
  const shape = way === 'in' ? [before * c, 2, k, after] : [before * c, k, 2, after];
  return g.reshape(g.transpose(g.reshape(x, shape), [0, 2, 1, 3]), [before, width, after]);
}

/** W′ = D·CᵀW (output side; BOFT D·C_m…C₁W) or D·W·Rᵀ (input side), in the shape in which the node sees the weight. */
export function rotateWeight(
  g: Builder,
  weight: Value,
  planned: PlannedLayer,
  rotation: Value | null,
  rescale: Value | null,
): Value {
  const { layer, width, side } = planned;
  const other = weight.shape.reduce((p, d) => p * d, 1) / width;
  let w = weight;
  if (rotation) {
    const rows = (side === 'output') !== layer.transposed;
    const turned = rotateAxis(
      g,
      g.reshape(w, rows ? [1, width, other] : [other, width, 1]),
      planned,
      rotation,
    );
    w = g.reshape(turned, weight.shape);
  }
  if (!rescale) return w;
  return g.mul(
    w,
    layer.transposed ? rescale : g.reshape(rescale, [layer.out, ...weight.shape.slice(1).map(() => 1)]),
  );
}

/**
 * What flows through the rotated side: the output y (linear [..., out], conv [N, out, …]) by the rotation, or the input x by its transpose
 * (x′ = xR; an embedding's rows likewise). Input side of convolutions: 1×1 kernels only; groups share the blocks.
 */
export function rotateActivation(g: Builder, x: Value, planned: PlannedLayer, rotation: Value): Value {
  const { layer, width, side } = planned;
  const size = x.shape.reduce((p, d) => p * d, 1);
  const channels = side === 'output' || layer.kind === 'embedding' ? layer.out : layer.in;
  const before = layer.kind === 'conv' ? (x.shape[0]! * channels) / width : size / width;
  const shape = [before, width, size / before / width];
  return g.reshape(rotateAxis(g, g.reshape(x, shape), planned, rotation, side === 'input'), x.shape);
}
