/** @file Whatever differs between two graphs shows in their digests; what does not, does not. */
import { expect, it } from 'vitest';
import { builder } from '#src/ops/table.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { graphDigest } from './digest.ts';
import type { Graph } from './types.ts';

interface Made {
  readonly batch?: number;
  readonly factor?: number;
  readonly axis?: number;
  readonly output?: string;
  readonly twice?: boolean;
}

function graph({ batch = 2, factor = 3, axis = 1, output = 'out', twice = false }: Made = {}): Graph {
  const g = builder();
  const x = g.input('x', 'float32', [batch, 4]);
  const scaled = g.mul(x, g.constant(tensor('float32', [], [factor])));
  const soft = g.emit('Softmax', [scaled], { axis });
  g.output(twice ? g.add(soft, soft) : soft, output);
  return g.build();
}

it('is the same of graphs that are equal', async () => {
  expect(await graphDigest(graph())).toBe(await graphDigest(graph()));
});

it('is another one for another size, number, attribute, name or node', async () => {
  const others = [
    {},
    { batch: 3 },
    { factor: -0 },
    { factor: 0 },
    { axis: 0 },
    { output: 'y' },
    { twice: true },
  ];
  const digests = await Promise.all(others.map((made) => graphDigest(graph(made))));
  expect(new Set(digests).size).toBe(others.length);
});

it('knows large constants by what holds them', async () => {
  const large = new Float32Array(5000);
  const of = (data: Float32Array): Graph => {
    const g = builder();
    g.output(g.add(g.input('x', 'float32', [5000]), g.constant(tensor('float32', [5000], data))), 'out');
    return g.build();
  };
  const one = await graphDigest(of(large));
  expect(await graphDigest(of(large.slice().fill(1)))).not.toBe(one);
});
