import { expect, test } from 'vitest';
import { float } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { builder } from '../table.ts';
import { apply, checkForms } from '../testing/apply.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { ramp } from '../testing/models.ts';

const matMul = (g: Builder, [a, b]: Value[]): Value => g.matMul(a!, b!);

test.each([
  [
    [3, 4],
    [4, 5],
  ],
  [[4], [4]],
  [[4], [4, 5]],
  [[3, 4], [4]],
  [[2, 3, 4], [4]],
  [[4], [2, 4, 5]],
  [
    [2, 3, 4],
    [4, 5],
  ],
  [
    [2, 1, 3, 4],
    [4, 5],
  ],
  [
    [3, 4],
    [2, 4, 5],
  ],
  [
    [2, 3, 4],
    [2, 4, 5],
  ],
  [
    [2, 1, 3, 4],
    [1, 3, 4, 5],
  ],
  [
    [3, 3, 4],
    [2, 1, 4, 1],
  ],
  [
    [1, 4],
    [4, 1],
  ],
])('MatMul %j · %j', async (a, b) => {
  const { type } = await checkGradient({ build: matMul, inputs: [{ shape: a }, { shape: b }] });
  expect(type).toBe('float64');
});

test('MatMul of a weight is differentiated by one Gemm per operand', async () => {
  const { emitted } = await checkGradient({
    build: matMul,
    inputs: [{ shape: [2, 3, 4] }, { shape: [4, 5] }],
    wants: [true, false],
  });
  expect(emitted.filter((n) => n.op !== 'Reshape').map((n) => n.op)).toEqual(['Gemm']);
});

for (const transA of [0, 1])
  for (const transB of [0, 1])
    test.each([undefined, [3, 5], [5], [1, 5], [3, 1], []])(`Gemm ${transA} ${transB}, C %j`, async (c) => {
      await checkGradient({
        build: (g, v) => g.emit('Gemm', v, { transA, transB, alpha: 0.7, beta: float(2) }),
        inputs: [
          { shape: transA ? [4, 3] : [3, 4] },
          { shape: transB ? [5, 4] : [4, 5] },
          ...(c ? [{ shape: c }] : []),
        ],
      });
    });

test.each([
  ['ij,jk->ik', [3, 4], [4, 5]],
  ['bij,bjk->bik', [2, 3, 4], [2, 4, 5]],
  ['bhid,bhjd->bhij', [2, 2, 3, 4], [2, 2, 5, 4]],
  ['...ij,...jk->...ik', [2, 1, 3, 4], [2, 1, 4, 5]],
  ['...ij,jk', [2, 3, 4], [4, 5]],
  ['bi,bj->ij', [2, 3], [2, 4]],
  ['ij,k->k', [2, 3], [4]],
  ['i,i->', [3], [3]],
  ['bchw,cd->bdhw', [2, 3, 2, 2], [3, 4]],
  ['iji,j->i', [2, 3, 2], [3]],
  ['iijj,i->j', [2, 2, 3, 3], [2]],
  // Axes of length 1 broadcast, which onnxruntime refuses.
  ['...ij,...jk->...ik', [2, 1, 2, 3], [3, 3, 2], false],
  ['ij,ij->ij', [2, 1], [2, 3], false],
  ['ij,ij->i', [2, 1], [2, 3], false],
] as [string, number[], number[], boolean?][])('Einsum %s', async (equation, a, b, kernel = true) => {
  await checkGradient({
    build: (g, v) => apply(g, 'Einsum', v, { equation }),
    inputs: [{ shape: a }, { shape: b }],
  });
  if (kernel) await checkForms({ op: 'Einsum', inputs: [ramp(...a), ramp(...b)], attrs: { equation } });
});

test('Einsum of one and of three operands', async () => {
  await checkGradient({
    build: (g, v) => apply(g, 'Einsum', v, { equation: 'ijk->ki' }),
    inputs: [{ shape: [2, 3, 4] }],
  });
  await checkGradient({
    build: (g, v) => apply(g, 'Einsum', v, { equation: 'ij,jk,k->i' }),
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [4] }],
  });
});

test('operands that do not fit are named', () => {
  const g = builder();
  const a = g.input('a', 'float32', [2, 3]);
  const b = g.input('b', 'float32', [4, 5]);
  expect(() => g.matMul(a, b)).toThrow(/MatMul.*\[2,3\] and \[4,5\].*3 columns meet 4 rows/);
  expect(() => g.emit('Gemm', [a, b], { transA: 1 })).toThrow(/Gemm.*transA=1/);
  expect(() => g.emit('Einsum', [a, b], { equation: 'ij,jk->ik' })).toThrow(/index j the sizes 3 and 4/);
  expect(() => g.matMul(a, g.scalar(1))).toThrow(/use Mul/);
});
