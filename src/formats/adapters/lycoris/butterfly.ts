/** @file Diag-OFT's blocks as one stage of BOFT's butterfly, and back. */

/** arange(b).reshape(2, b/2).T.flatten(): BOFT's first stage meets rows b/2 apart. */
const butterflyOrder = (b: number): number[] =>
  Array.from({ length: b }, (_, i) => (i % 2) * (b / 2) + Math.floor(i / 2));

/** B4[k] = (B_kᵀ)[P][:, P]: BOFT applies C where Diag-OFT applies Cᵀ, and sees each block's rows in the order P. */
function reordered(blocks: Float32Array, n: number, b: number, way: 'in' | 'out'): Float32Array {
  const order = butterflyOrder(b);
  const out = new Float32Array(blocks.length);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < b; i++)
      for (let j = 0; j < b; j++) {
        const there = (k * b + order[j]!) * b + order[i]!;
        const here = (k * b + i) * b + j;
        if (way === 'in') out[here] = blocks[there]!;
        else out[there] = blocks[here]!;
      }
  return out;
}

/** Diag-OFT's blocks [n, b, b] as one BOFT stage, b even. */
export const toButterfly = (blocks: Float32Array, n: number, b: number): Float32Array =>
  reordered(blocks, n, b, 'in');

/** The Diag-OFT blocks that one BOFT stage stands for, b even. */
export const fromButterfly = (blocks: Float32Array, n: number, b: number): Float32Array =>
  reordered(blocks, n, b, 'out');

/** Blocks 2k and 2k + 1 on the diagonal of one of twice the size: the same rotation. */
export function paired(blocks: Float32Array, n: number, b: number): Float32Array {
  const out = new Float32Array(2 * n * b * b);
  for (let k = 0; k < n; k++) {
    const offset = (k % 2) * b;
    for (let i = 0; i < b; i++)
      for (let j = 0; j < b; j++)
        out[(Math.floor(k / 2) * 2 * b + offset + i) * 2 * b + offset + j] = blocks[(k * b + i) * b + j]!;
  }
  return out;
}
