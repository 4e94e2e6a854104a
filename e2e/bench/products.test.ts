import { expect, it } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { defaultStep } from './defaultStep.ts';
import { gpt, mlp } from './networks.ts';
import { flowOf, multiplicationsOf, productsOf } from './products.ts';

const zeros = (g: Builder, name: string, shape: number[]): Value =>
  g.initializer(
    name,
    constantOf(tensor('float32', shape, Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0))),
  );

/** Multiplications of the last node. */
function count(make: (g: Builder) => unknown): number {
  const g = builder();
  make(g);
  const graph = g.build();
  return multiplicationsOf(graph, graph.nodes.at(-1)!);
}

it('counts a product by what each output is summed over', () => {
  const input = (g: Builder, name: string, shape: number[]): Value => g.input(name, 'float32', shape);
  // 2 · 3 · 5 outputs, each of 4.
  expect(count((g) => g.matMul(input(g, 'a', [2, 3, 4]), input(g, 'b', [4, 5])))).toBe(120);
  // 3 · 5 outputs, each of 4; the first operand stands the other way around.
  expect(
    count((g) => g.emit('Gemm', [input(g, 'a', [4, 3]), input(g, 'b', [5, 4])], { transA: 1, transB: 1 })),
  ).toBe(60);
  // 1 · 6 · 4 · 4 outputs, each of 2 channels of its group by 9.
  expect(
    count((g) =>
      g.emit('Conv', [input(g, 'x', [1, 4, 4, 4]), zeros(g, 'w', [6, 2, 3, 3])], {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        group: 2,
      }),
    ),
  ).toBe(1728);
  // 1 · 4 · 3 · 3 inputs, each to 5 channels by 4.
  expect(
    count((g) =>
      g.emit('ConvTranspose', [input(g, 'x', [1, 4, 3, 3]), zeros(g, 'w', [4, 5, 2, 2])], {
        kernel_shape: [2, 2],
        strides: [2, 2],
      }),
    ),
  ).toBe(720);
  // b, i, j and k: 2 · 3 · 4 · 5.
  expect(
    count((g) =>
      g.emit('Einsum', [input(g, 'a', [2, 3, 5]), input(g, 'b', [2, 4, 5])], { equation: 'bik,bjk->bij' }),
    ),
  ).toBe(120);
  expect(count((g) => g.add(input(g, 'a', [7]), input(g, 'b', [7])))).toBe(0);
});

it('counts a forward pass, what flows back through it, and what a step adds', () => {
  const graph = mlp(64, [256, 1024, 256]);
  const layer = 64 * 256 * 1024;
  expect(productsOf(graph)).toBe(2 * layer);
  // The gradient flows through the second layer alone: the first one's input hangs on nothing trained.
  expect(flowOf(graph, new Set(['layers.0', 'layers.1']))).toBe(3 * layer);
  expect(flowOf(graph, new Set(['layers.1']))).toBe(2 * layer);
  // Each weight is turned once, its blocks 32 wide.
  expect(productsOf(defaultStep(graph, { blocks: { size: 32 } }))).toBeGreaterThan(
    3 * layer + 2 * 1024 * 256 * 32,
  );
});

it('counts the two products of attention', () => {
  const graph = gpt(2, { layers: 1, width: 8, heads: 2, tokens: 4 });
  // Rows 2 · 4, width 8: four of 8 × 8, up and down of 8 × 32, the head of 8 × 1000; scores and mixture 2 · 2 · 4 · 4 · 4 each.
  expect(productsOf(graph)).toBe(8 * (4 * 64 + 2 * 256 + 8000) + 2 * 256);
  // Gradients: none through q, k and v, whose input is not moved, two through either product.
  const layers = new Set(
    graph.nodes.filter(({ op }) => op === 'MatMul' || op === 'Gemm').map(({ name }) => name),
  );
  expect(flowOf(graph, layers)).toBe(8 * (5 * 64 + 4 * 256 + 16000) + 6 * 256);
});
