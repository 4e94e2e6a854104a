/** @file What hangs on frozen weights alone is computed once, and a weight that a step reads in another layout alone is held in that layout. */
import { describe, expect, it } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { constantOf, numbersOf, tensor, viewBytes } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph, withComputed } from '#src/ops/testing/runGraph.ts';
import * as ort from 'onnxruntime-web';
import { weightBytes } from '#src/runtime/weights.ts';
import { withoutFrozen } from './frozen.ts';

const [ROWS, COLUMNS] = [16, 24];
const numbers = Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i));

/** x [5, …] and a weight [16, 24]. */
function made(make: (g: Builder, w: Value, x: Value) => Value[]): Graph {
  const g = builder();
  const x = g.input('x', 'float32', [5, ROWS]);
  const w = g.initializer('w', constantOf(tensor('float32', [ROWS, COLUMNS], numbers)));
  make(g, w, x).forEach((v, i) => g.output(v, `y${i}`));
  return g.build();
}

const outputsOf = async (graph: Graph): Promise<number[][]> => {
  const x = tensor(
    'float32',
    [5, ROWS],
    Array.from({ length: 5 * ROWS }, (_, i) => Math.cos(i)),
  );
  const out = await runGraph(graph, { x });
  return graph.outputs.map((v) => numbersOf(out[v.name]!));
};

const laidOut = ({ constants }: Graph): string[] =>
  [...constants.values()].flatMap(({ by }) => (by ? [by.nodes.map((node) => node.op).join()] : []));

const gemm = (g: Builder, x: Value, w: Value): Value => g.emit('Gemm', [x, w], { transB: 1 });

describe('a weight in another layout', () => {
  it.each<[string, string, (g: Builder, w: Value, x: Value) => Value[]]>([
    [
      'transposed',
      'Transpose',
      (g, w, x) => [
        gemm(g, x, g.exp(x)),
        gemm(g, x, g.add(g.transpose(w, [1, 0]), g.slice(x, [0], [1], [0]))),
      ],
    ],
    ['reshaped', 'Reshape', (g, w, x) => [g.matMul(x, g.reshape(w, [2, ROWS, COLUMNS / 2]))]],
    [
      'transposed and reshaped',
      'Transpose,Reshape',
      (g, w, x) => [g.matMul(x, g.reshape(g.transpose(w, [1, 0]), [COLUMNS, ROWS, 1]))],
    ],
  ])('that is %s and read by nothing else is held so', async (_, ops, make) => {
    const graph = made(make);
    const once = withoutFrozen(graph);
    expect(laidOut(once)).toEqual([ops]);
    expect(once.constants.has('w')).toBe(false);
    expect(await outputsOf(once)).toEqual(await outputsOf(graph));
  });

  it.each<[string, (g: Builder, w: Value, x: Value) => Value[]]>([
    ['as it is, too', (g, w, x) => [g.matMul(x, w), gemm(g, x, g.transpose(w, [1, 0]))]],
    [
      'in two ways',
      (g, w, x) => [gemm(g, x, g.transpose(w, [1, 0])), g.matMul(x, g.reshape(w, [2, ROWS, COLUMNS / 2]))],
    ],
    ['as an output', (g, w, x) => [gemm(g, x, g.transpose(w, [1, 0])), w]],
  ])('that is read %s stays', (_, make) => {
    expect(laidOut(withoutFrozen(made(make)))).toEqual([]);
  });

  it('is moved by the host, to the numbers that a session gives', async () => {
    const graph = withoutFrozen(
      made((g, w, x) => [g.matMul(x, g.reshape(g.transpose(w, [1, 0]), [COLUMNS, ROWS, 1]))]),
    );
    const [name, constant] = [...graph.constants].find(([, c]) => c.by)!;
    const own = viewBytes('float32', await weightBytes({ ort }, name, constant));
    const session = (await withComputed(graph)).constants.get(name)!;
    expect(
      session.data.kind === 'inline' && Array.from(viewBytes('float32', session.data.bytes), Number),
    ).toEqual(Array.from(own, Number));
  });
});

it('a result of weights alone is computed once, and as large as they are at most', async () => {
  const graph = made((g, w, x) => [g.matMul(x, g.exp(w))]);
  const once = withoutFrozen(graph);
  expect(laidOut(once)).toEqual(['Exp']);
  expect(await outputsOf(once)).toEqual(await outputsOf(graph));
});
