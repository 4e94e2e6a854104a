/** @file Matrix products. Every export is an operator's entry. */
export { Einsum } from './einsum.ts';
export { Gemm } from './gemm.ts';
export { MatMul } from './matmul.ts';
