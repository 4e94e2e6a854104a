/** @file Whatever a model ends in, its loss is the one of the probabilities that it gives: −ln p of its own output. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { backward } from '#src/autodiff/backward.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import { graphOf, ints, model, n, scalar, value } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { exampleLosses } from '#src/tasks/generic/losses.ts';
import { scoresOf } from './scores.ts';

const made = (nodes: Node[], weights: Record<string, Tensor>, shape: readonly number[], opset = 17): Graph =>
  importGraph(model(graphOf(nodes, weights, [value('x', 'float32', shape)], ['y']), opset));

const noise = (shape: readonly number[], size = 3): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => size * Math.sin(7 * i + 1)),
  );

/** The loss on what `scoresOf` finds, its gradient by x, and the file's own output. */
async function lossOf(graph: Graph, axis: number | null, target: Tensor, x: Tensor) {
  const found = scoresOf(graph, graph.outputs[0]!, axis);
  const g = builder(found.graph);
  const wanted = g.input('wanted', target.type, target.shape);
  const name = axis === null ? 'bce' : 'cross_entropy';
  const { sum } = exampleLosses(g, name, g.value(found.value.name), wanted, { scale: found.scale });
  const total = g.reduceSum(sum, [0]);
  const [grad] = backward(g, new Map([[total.name, g.scalar(1)]]), [g.value('x')]);
  const out = await runGraph(lowerGraph(g.build([total, grad!])), { x, wanted: target });
  const own = await runGraph(graph, { x });
  return {
    found,
    loss: Number(out[total.name]!.data[0]),
    grad: numbersOf(out[grad!.name]!),
    output: Object.values(own)[0]!,
  };
}

type Step = { readonly op: string; readonly node: (i: string, o: string) => Node; readonly more?: object };
const weights = {
  wide: ints(2, 3, 5, 1),
  flat: ints(2, 15),
  back: ints(2, 3, 5),
  axis: ints(1),
  low: scalar(1e-4),
  high: scalar(0.95),
  half: scalar(0.5),
  one: ints(0),
};
/** Chains over [2, 3, 5] (batch, places, classes) that end in that shape. */
const chains: Record<string, Step[]> = {
  nothing: [],
  identity: [{ op: 'Identity', node: (i, o) => n('Identity', [i], [o]) }],
  reshape: [
    { op: 'Reshape', node: (i, o) => n('Reshape', [i, 'wide'], [o]) },
    { op: 'Reshape', node: (i, o) => n('Reshape', [i, 'back'], [o]) },
  ],
  squeeze: [
    { op: 'Unsqueeze', node: (i, o) => n('Unsqueeze', [i, 'axis'], [o]) },
    { op: 'Squeeze', node: (i, o) => n('Squeeze', [i, 'axis'], [o]) },
  ],
  transpose: [
    { op: 'Transpose', node: (i, o) => n('Transpose', [i], [o], { perm: [2, 0, 1] }) },
    { op: 'Transpose', node: (i, o) => n('Transpose', [i], [o], { perm: [1, 2, 0] }) },
  ],
  clip: [{ op: 'Clip', node: (i, o) => n('Clip', [i, 'low', 'high'], [o]) }],
  flatten: [
    { op: 'Reshape', node: (i, o) => n('Reshape', [i, 'flat'], [o]) },
    { op: 'Reshape', node: (i, o) => n('Reshape', [i, 'back'], [o]) },
  ],
  cast: [
    { op: 'Cast', node: (i, o) => n('Cast', [i], [o], { to: 11 }) },
    { op: 'Cast', node: (i, o) => n('Cast', [i], [o], { to: 1 }) },
  ],
  damped: [{ op: 'Mul', node: (i, o) => n('Mul', [i, 'half'], [o]) }],
};
const undone = new Set(['nothing', 'identity', 'reshape', 'squeeze', 'transpose', 'cast']);

function chained(end: Node[], names: readonly string[]): Node[] {
  const nodes = [...end];
  let last = 'end';
  let count = 0;
  for (const name of names)
    for (const { node } of chains[name]!) {
      const next = `v${count++}`;
      nodes.push(node(last, next));
      last = next;
    }
  return [...nodes, n('Identity', [last], ['y'])];
}

const softmaxes: Record<string, Node[]> = {
  Softmax: [n('Softmax', ['x'], ['end'], { axis: -1 })],
  'written out': [
    n('ReduceMax', ['x'], ['top'], { axes: [2], keepdims: 1 }),
    n('Sub', ['x', 'top'], ['z']),
    n('Exp', ['z'], ['e']),
    n('ReduceSum', ['e', 'last'], ['s'], { keepdims: 1 }),
    n('Div', ['e', 's'], ['end']),
  ],
  'LogSoftmax and Exp': [n('LogSoftmax', ['x'], ['l'], { axis: 2 }), n('Exp', ['l'], ['end'])],
};

describe('a loss on classes', () => {
  it('is −ln p of the model’s own output, whatever follows its Softmax', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(softmaxes)),
        fc.array(fc.constantFrom(...Object.keys(chains)), { maxLength: 3 }),
        async (softmax, names) => {
          const graph = made(chained(softmaxes[softmax]!, names), { ...weights, last: ints(-1) }, [2, 3, 5]);
          const labels = [1, 0, 4, 2, 3, 3];
          const { found, loss, output } = await lossOf(
            graph,
            2,
            tensor('int32', [2, 3], labels),
            noise([2, 3, 5]),
          );
          const p = numbersOf(output);
          const want = labels.reduce((sum, label, i) => sum - Math.log(p[5 * i + label]!), 0);
          expect(Math.abs(loss - want)).toBeLessThan(1e-4 * want);
          const clean = names.every((name) => undone.has(name));
          const before = names.findIndex((name) => !undone.has(name)) < 0;
          if (clean && before)
            expect([found.scale, found.value.name]).toEqual(['logits', expect.any(String)]);
          if (clean) expect(found.words).toMatch(/^logits: the last Softmax|^logits: the last LogSoftmax/);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('takes log-probabilities for what they are: Log of a Softmax, and of a clipped one', async () => {
    const target = tensor('int32', [2], [1, 0]);
    const soft = n('Softmax', ['x'], ['p'], { axis: -1 });
    const plain = await lossOf(made([soft, n('Log', ['p'], ['y'])], {}, [2, 4]), 1, target, noise([2, 4]));
    expect(plain.found.words).toMatch(/^logits: the last Softmax/);
    const clipped = await lossOf(
      made(
        [soft, n('Clip', ['p', 'low', 'high'], ['c']), n('Log', ['c'], ['y'])],
        { low: scalar(0.1), high: scalar(0.9) },
        [2, 4],
      ),
      1,
      target,
      noise([2, 4]),
    );
    const log = numbersOf(clipped.output);
    expect(clipped.loss).toBeCloseTo(-log[1]! - log[4]!, 5);
  });

  it('is finite with a finite slope where a probability is 0', async () => {
    const graph = made(
      [n('Softmax', ['x'], ['p'], { axis: -1 }), n('Clip', ['p', 'low', 'high'], ['y'])],
      { low: scalar(0), high: scalar(1) },
      [1, 3],
    );
    const x = tensor('float32', [1, 3], [200, 0, 0]);
    const { loss, grad } = await lossOf(graph, 1, tensor('int32', [1], [2]), x);
    expect(loss).toBeCloseTo(-Math.log(1e-12), 3);
    expect(grad.every(Number.isFinite)).toBe(true);
  });

  it('leaves logits, and a Softmax over another axis, as they are', async () => {
    const logits = made([n('Relu', ['x'], ['y'])], {}, [2, 3]);
    expect(scoresOf(logits, logits.outputs[0]!, 1)).toMatchObject({
      scale: 'logits',
      value: { name: 'y' },
      words: 'logits: the output as it is',
    });
    const x = noise([2, 3, 4]);
    const old = made([n('Softmax', ['x'], ['y'], { axis: 1 })], {}, [1, 6, 1, 1], 11);
    const { loss, output } = await lossOf(old, 1, tensor('int32', [1, 1, 1], [4]), noise([1, 6, 1, 1]));
    expect(loss).toBeCloseTo(-Math.log(numbersOf(output)[4]!), 4);
    expect(x.shape).toHaveLength(3);
  });
});

describe('a loss on yes and no', () => {
  const target = tensor(
    'float32',
    [2, 3, 5],
    numbersOf(noise([2, 3, 5])).map((v) => (v > 0 ? 1 : 0.25)),
  );
  const want = (output: Tensor): number => {
    const p = numbersOf(output);
    const t = numbersOf(target);
    const each = p.map((q, i) => -t[i]! * Math.log(q) - (1 - t[i]!) * Math.log(1 - q));
    return each.reduce((sum, e) => sum + e, 0) / 15;
  };
  it.each(Object.keys(chains))('is −t·ln p − (1 − t)·ln(1 − p) of a Sigmoid with %s behind', async (name) => {
    for (const end of [
      [n('Sigmoid', ['x'], ['end'])],
      [
        n('Neg', ['x'], ['m']),
        n('Exp', ['m'], ['e']),
        n('Add', ['e', 'unit'], ['a']),
        n('Div', ['unit', 'a'], ['end']),
      ],
      [n('Softmax', ['x'], ['end'], { axis: -1 })],
    ]) {
      const graph = made(chained(end, [name]), { ...weights, unit: scalar(1) }, [2, 3, 5]);
      const { found, loss, output } = await lossOf(graph, null, target, noise([2, 3, 5]));
      expect(Math.abs(loss - want(output))).toBeLessThan(2e-4 * want(output));
      const direct = end.at(-1)!.op !== 'Softmax' && (undone.has(name) || name === 'flatten');
      expect(found.words).toMatch(direct ? /^logits: the last Sigmoid/ : /^probabilities: what follows/);
    }
  });

  it('joins the scores of several outputs’ Sigmoids, and takes one part of them', async () => {
    const graph = made(
      [
        n('Sigmoid', ['x'], ['a']),
        n('Gather', ['a', 'one'], ['b'], { axis: 1 }),
        n('Concat', ['a', 'b'], ['y'], { axis: 1 }),
      ],
      weights,
      [2, 3],
    );
    const found = scoresOf(graph, graph.outputs[0]!, null);
    expect(found.words).toMatch(/^logits: the last Sigmoid/);
    const x = noise([2, 3]);
    const out = numbersOf((await runGraph(found.graph, { x }))[found.value.name]!);
    const v = numbersOf(x);
    expect(out).toEqual([v[0], v[1], v[2], v[0], v[3], v[4], v[5], v[3]]);
  });
});
