/** @file Operators on the bits of integers. WebGPU has no kernels for them; they stay on the CPU. */
import { stringAttr } from '#src/graph/attributes.ts';
import { foldElementwise } from '../import/folding.ts';
import { broadcastInputs, sameAsInput } from './pointwise.ts';
import type { Operator } from '../types.ts';

const bits = (int: (a: bigint, b: bigint) => bigint): Operator => ({
  shape: broadcastInputs,
  grad: 'none',
  fold: foldElementwise(() => ({ int })),
  webgpu: () => false,
});

export const BitwiseAnd: Operator = bits((a, b) => a & b);
export const BitwiseOr: Operator = bits((a, b) => a | b);
export const BitwiseXor: Operator = bits((a, b) => a ^ b);

export const BitwiseNot: Operator = {
  shape: sameAsInput,
  grad: 'none',
  fold: foldElementwise(() => ({ int: (a) => ~a })),
  webgpu: () => false,
};

/** Shifts unsigned integers; a shift by all bits or more gives 0. */
export const BitShift: Operator = {
  shape: broadcastInputs,
  grad: 'none',
  fold: foldElementwise((node) => ({
    int: (a, b) => (b >= 64n ? 0n : stringAttr(node, 'direction', 'LEFT') === 'LEFT' ? a << b : a >> b),
  })),
  webgpu: () => false,
};
