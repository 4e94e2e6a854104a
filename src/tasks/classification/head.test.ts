import { describe, expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor, type Tensor, tensorOf } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { graphOf, model, n, ramp, scalar, value } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { bindPictures, inputShape, pictureInput } from '#src/tasks/images/pictureInput.ts';
import { chooseHead } from './classes.ts';
import { logitsOf, replaceHead } from './head.ts';

const filled = (shape: readonly number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i)),
  );

describe('a new head', () => {
  it.each([
    ['resnet18-ts17', 'fc'],
    ['resnet18-dyn18', 'fc'],
    ['resnet18-bn-ts14', 'fc'],
    ['mobilenetv2-dyn21', 'classifier.1'],
    ['vit-hf-ts14', 'model.classifier'],
    ['vit-timm-dyn23', 'head'],
  ])('replaces the last layer of %s', async (name, layer) => {
    const files = diskFiles(`e2e/golden/zoo/${name}`);
    const file = await openWhole(files)('model.onnx');
    const input = pictureInput(file.model, 'model.onnx');
    const size = { width: input.width ?? 32, height: input.height ?? 32 };
    const batch = input.batch ?? 3;
    const own = logitsOf(bindPictures(file, input, batch, size));
    const head = replaceHead(own, 7, 0);
    expect(head.whole).toEqual([`${layer}.weight`, `${layer}.bias`]);
    const [weight, bias] = head.whole.map((w) => tensorOf(head.graph.constants.get(w)!));
    expect([weight!.shape[0], bias!.shape]).toEqual([7, [7]]);
    const bound = 1 / Math.sqrt(weight!.shape[1]!);
    const all = [...numbersOf(weight!), ...numbersOf(bias!)];
    expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...all)).toBeGreaterThan(0.8 * bound);
    // All that is before the head is untouched: with the old weights in place, so are the scores.
    const x = { [input.name]: filled(inputShape(input, batch, size)) };
    const scores = (await runGraph(head.graph, x))[head.value.name]!;
    expect(scores.shape).toEqual([batch, 7]);
    const same = replaceHead(own, own.classes, 0);
    const constants = new Map(
      [...same.graph.constants].map(([k, c]) => [k, own.graph.constants.get(k) ?? c]),
    );
    const before = (await runGraph(own.graph, x))[own.value.name]!;
    const after = (await runGraph({ ...same.graph, constants }, x))[same.value.name]!;
    expect(numbersOf(after)).toEqual(numbersOf(before));
  });

  const made = (nodes: Node[], weights: Record<string, Tensor>, shape: number[]): Graph =>
    importGraph(model(graphOf(nodes, weights, [value('x', 'float32', shape)], ['y'])));

  it('follows a transposed weight, a bias by Add and a Reshape, and leaves Softmax out', async () => {
    const graph = made(
      [
        n('Transpose', ['w'], ['wt'], { perm: [1, 0] }),
        n('MatMul', ['x', 'wt'], ['m']),
        n('Add', ['m', 'b'], ['a']),
        n('Reshape', ['a', 's'], ['r']),
        n('Softmax', ['r'], ['y'], { axis: -1 }),
      ],
      { w: ramp(5, 4), b: ramp(5), s: tensor('int64', [2], [2, 5]) },
      [2, 1, 4],
    );
    const own = logitsOf(graph);
    expect([own.classes, own.graph.nodes.some((node) => node.op === 'Softmax')]).toEqual([5, false]);
    const head = replaceHead(own, 3, 1);
    expect([head.whole, head.value.shape]).toEqual([
      ['w', 'b'],
      [2, 3],
    ]);
    expect(head.graph.constants.get('w')!.shape).toEqual([3, 4]);
    expect((await runGraph(head.graph, { x: filled([2, 1, 4]) }))[head.value.name]!.shape).toEqual([2, 3]);
  });

  it('takes a convolution before the pooling', async () => {
    const graph = made(
      [
        n('Conv', ['x', 'w', 'b'], ['c']),
        n('Relu', ['c'], ['r']),
        n('GlobalAveragePool', ['r'], ['p']),
        n('Flatten', ['p'], ['y']),
      ],
      { w: ramp(6, 3, 1, 1), b: ramp(6) },
      [2, 3, 4, 4],
    );
    const head = replaceHead(logitsOf(graph), 2, 0);
    expect([head.whole, head.value.shape]).toEqual([
      ['w', 'b'],
      [2, 2],
    ]);
    expect(sizeOf((await runGraph(head.graph, { x: filled([2, 3, 4, 4]) }))[head.value.name]!.shape)).toBe(4);
  });

  it.each([
    [
      'Softmax and Identity',
      [n('Softmax', ['m'], ['p'], { axis: 1 }), n('Identity', ['p'], ['y'])],
      'logits',
    ],
    [
      'Softmax and Reshape',
      [n('Softmax', ['m'], ['p'], { axis: 1 }), n('Reshape', ['p', 's'], ['y'])],
      'logits',
    ],
    ['Sigmoid', [n('Sigmoid', ['m'], ['y'])], 'logits'],
    ['LogSoftmax', [n('LogSoftmax', ['m'], ['y'], { axis: 1 })], 'logits'],
    [
      'Softmax and Clip',
      [n('Softmax', ['m'], ['p'], { axis: 1 }), n('Clip', ['p', 'low', 'high'], ['y'])],
      'log-probabilities',
    ],
  ] as const)('stands before %s as before nothing', async (_, end, scale) => {
    const graph = made(
      [n('Gemm', ['x', 'w'], ['m']), ...end],
      { w: ramp(4, 5), s: tensor('int64', [4], [2, 5, 1, 1]), low: scalar(1e-6), high: scalar(1) },
      [2, 4],
    );
    const head = replaceHead(logitsOf(graph), 3, 0);
    expect([head.whole, head.value.shape[1], head.scale]).toEqual([['w'], 3, scale]);
    const x = filled([2, 4]);
    const scores = numbersOf((await runGraph(head.graph, { x }))[head.value.name]!);
    const w = numbersOf(tensorOf(head.graph.constants.get('w')!));
    const logits = [0, 1].map((row) =>
      [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((sum, i) => sum + Math.sin(4 * row + i) * w[3 * i + c]!, 0)),
    );
    const sums = logits.map((row) => Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)));
    const want = logits.flatMap((row, r) => row.map((z) => (scale === 'logits' ? z : z - sums[r]!)));
    scores.forEach((s, i) => expect(s).toBeCloseTo(want[i]!, 4));
  });

  it('refuses an end that it does not understand, with the way out', () => {
    const graph = made([n('MatMul', ['x', 'w'], ['m']), n('Tanh', ['m'], ['y'])], { w: ramp(4, 5) }, [2, 4]);
    expect(() => replaceHead(logitsOf(graph), 3, 0)).toThrow(/scores come from Tanh.*head = "keep"/);
    const pooled = made([n('ReduceMean', ['x'], ['y'], { axes: [0, 1] })], {}, [2, 4]);
    expect(() => logitsOf(pooled)).toThrow(/no output with a score for each class.*y \[1,1\]/);
  });
});

describe('the choice of head', () => {
  const names = ['tabby, tabby cat', 'golden_retriever', 'owl'];
  it.each<[string[], string[] | null, 'auto' | 'keep' | 'new', string, number[]]>([
    [['Tabby Cat', 'owl'], names, 'auto', 'keep', [0, 2]],
    [['cow', 'owl'], names, 'auto', 'new', [0, 1]],
    [['0', '1', '2'], null, 'auto', 'keep', [0, 1, 2]],
    [['0', '1'], null, 'auto', 'new', [0, 1]],
    [['a', 'b', 'c'], null, 'auto', 'new', [0, 1, 2]],
    [['a', 'b', 'c'], null, 'keep', 'keep', [0, 1, 2]],
    [['1', '2'], null, 'keep', 'keep', [1, 2]],
    [['owl', 'tabby'], names, 'new', 'new', [0, 1]],
  ])('for %j of %j with %s is %s', (labels, known, asked, kind, indices) => {
    const choice = chooseHead(labels, 3, known, asked);
    expect([choice.kind, labels.map((l) => choice.indexOf.get(l))]).toEqual([kind, indices]);
    expect(choice.problems.filter((p) => p.severity === 'error')).toEqual([]);
  });
});
