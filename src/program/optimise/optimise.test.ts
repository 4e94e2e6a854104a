/** @file Fewer nodes, the same results: each pass on small graphs whose numbers are compared, random chains of what the passes look at, and the counts of a reference step. */
import { describe, expect, it } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { withSplits } from './chunks.ts';
import { mergeNodes } from './merge.ts';
import { optimise } from './optimise.ts';
import { transposeBeforeSplit } from './transposes.ts';
import { prune } from '#src/graph/prune.ts';

const wave = (shape: readonly number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 12.9898 + 1)),
  );

/** The outputs of x = wave, by position. */
async function outputsOf(graph: Graph): Promise<number[][]> {
  const found = await runGraph(graph, Object.fromEntries(graph.inputs.map((v) => [v.name, wave(v.shape)])));
  return graph.outputs.map((v) => numbersOf(found[v.name]!));
}

const ops = (graph: Graph): string[] => graph.nodes.map((node) => node.op);

function made(shape: readonly number[], make: (g: Builder, x: Value) => Value[]): Graph {
  const g = builder();
  make(g, g.input('x', 'float32', shape)).forEach((v, i) => g.output(v, `y${i}`));
  return g.build();
}

describe('nodes that were computed before', () => {
  it('are not computed again', () => {
    const graph = made([2, 6], (g, x) => [g.add(g.exp(x), g.exp(x))]);
    expect(ops(prune(mergeNodes(graph)))).toEqual(['Exp', 'Add', 'Identity']);
  });

  it('are, where attributes or constants differ', () => {
    const graph = made([2, 6], (g, x) => [
      g.add(g.reduceSum(x, [0], true), g.reduceSum(x, [0], true)),
      g.reduceSum(x, [1], true),
      g.mul(x, g.scalar(2)),
      g.mul(x, g.scalar(3)),
    ]);
    expect(ops(mergeNodes(graph)).filter((op) => op === 'ReduceSum' || op === 'Mul')).toHaveLength(4);
  });

  it('keep the names of outputs', async () => {
    const graph = made([3], (g, x) => [g.exp(x), g.exp(x)]);
    const merged = optimise(graph);
    expect(merged.outputs.map((v) => v.name)).toEqual(['y0', 'y1']);
    expect(await outputsOf(merged)).toEqual(await outputsOf(graph));
  });
});

describe('views', () => {
  it('of views are one, and none where the shape is the first again', async () => {
    const graph = made([2, 6], (g, x) => {
      const there = g.reshape(g.emit('Unsqueeze', [g.reshape(x, [3, 4]), g.ints([0])]), [12]);
      return [g.exp(there), g.exp(g.reshape(there, [2, 6]))];
    });
    const merged = optimise(graph);
    expect(ops(merged).filter((op) => op !== 'Identity')).toEqual(['Reshape', 'Exp', 'Exp']);
    expect(await outputsOf(merged)).toEqual(await outputsOf(graph));
  });

  it('are also transposes that move axes of length 1 alone, and two that undo one another', async () => {
    const graph = made([2, 1, 6], (g, x) => [
      g.exp(g.transpose(x, [1, 0, 2])),
      g.exp(g.transpose(g.transpose(x, [2, 0, 1]), [1, 2, 0])),
      g.exp(g.transpose(g.transpose(x, [2, 1, 0]), [2, 1, 0])),
    ]);
    const merged = optimise(graph);
    expect(ops(merged)).not.toContain('Transpose');
    expect(await outputsOf(merged)).toEqual(await outputsOf(graph));
  });
});

it('slices side by side are one Split, whatever their order; others stay', async () => {
  const chunks = (ranges: number[][], axis = 1) =>
    made([2, 6], (g, x) => ranges.map(([from, to]) => g.exp(g.slice(x, [from!], [to!], [axis]))));
  for (const [ranges, splits] of [
    [
      [
        [0, 2],
        [2, 6],
      ],
      1,
    ],
    [
      [
        [4, 6],
        [0, 1],
        [1, 4],
      ],
      1,
    ],
    [
      [
        [0, -2],
        [-2, 99],
      ],
      1,
    ],
    [
      [
        [0, 2],
        [3, 6],
      ],
      0,
    ],
    [
      [
        [0, 4],
        [2, 6],
      ],
      0,
    ],
    [[[0, 6]], 0],
  ] as const) {
    const graph = chunks(ranges as unknown as number[][]);
    const split = prune(withSplits(graph));
    expect(ops(split).filter((op) => op === 'Split')).toHaveLength(splits);
    expect(await outputsOf(split)).toEqual(await outputsOf(graph));
  }
});

it('parts that are transposed alike are cut from one transposed value, through cuts of cuts, too', async () => {
  const graph = made([8, 2, 3], (g, x) => {
    const [a, b] = g.split(x, 0, [4, 4]) as [Value, Value];
    const parts = [...g.split(a, 0, [1, 3]), ...g.split(b, 0, [2, 2])];
    return [...parts.map((p) => g.exp(g.mT(p))), g.exp(parts[0]!)];
  });
  const turned = prune(transposeBeforeSplit(graph));
  expect(ops(turned).filter((op) => op === 'Transpose')).toHaveLength(1);
  expect(await outputsOf(turned)).toEqual(await outputsOf(graph));
});

/** A random graph of views, transposes, cuts and sums of what came before. */
function chain(seed: number): Graph {
  const next = uniform(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  return made([4, 2, 6], (g, x) => {
    const values: Value[] = [x];
    for (let i = 0; i < 24; i++) {
      const v = pick(values);
      const { shape } = v;
      const kind = Math.floor(next() * 6);
      const axis = Math.floor(next() * shape.length);
      if (kind === 0) values.push(g.reshape(v, pick(shapesOf(sizeOf(shape)))));
      else if (kind === 1)
        values.push(
          g.transpose(
            v,
            shape.map((_, k) => (k + axis) % shape.length),
          ),
        );
      else if (kind === 2 && shape[axis]! % 2 === 0)
        values.push(...g.split(v, axis, [shape[axis]! / 2, shape[axis]! / 2]));
      else if (kind === 3 && shape[axis]! % 2 === 0) {
        const half = shape[axis]! / 2;
        values.push(g.slice(v, [0], [half], [axis]), g.slice(v, [half], [2 * half], [axis]));
      } else if (kind === 4) values.push(g.emit('Tanh', [v]));
      else {
        const like = values.filter((o) => o.shape.join() === shape.join());
        values.push(g.add(v, pick(like)));
      }
    }
    return values.slice(-4);
  });
}

/** Shapes of so many elements. */
const shapesOf = (n: number): number[][] => [
  [n],
  [1, n],
  n % 2 === 0 ? [2, n / 2] : [n, 1],
  n % 4 === 0 ? [n / 4, 2, 2] : [n],
];

it.each(Array.from({ length: 24 }, (_, i) => i))('random chains give the same numbers (%d)', async (seed) => {
  const graph = prune(chain(seed));
  const merged = optimise(withSplits(graph));
  expect(merged.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
  expect(await outputsOf(merged)).toEqual(await outputsOf(graph));
});
