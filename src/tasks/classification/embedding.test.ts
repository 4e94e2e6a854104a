/** @file A last layer on top of embeddings: the pooled numbers, and the merged file, are what numpy would have. */
import { describe, expect, it } from 'vitest';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { headLosses, writeAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { relative, run } from '#src/formats/testing/runFile.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model, ModelValue, Node } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { graphOf, ints, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { bindModel } from '#src/tasks/generic/model.ts';
import { png, pngDecoder } from '#src/tasks/images/testing/host.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task as images } from '#src/tasks/image-classification/task.ts';
import { embeddingOf, withEmbeddingHead } from './embedding.ts';
import { logitsOf, replaceHead } from './head.ts';

const fileOf = (made: Model) => ({ path: 'model.onnx', model: made, hash: 'x', bytes: 0 });
const outputs = (made: Model, shape: ModelValue['shape']): Model => ({
  ...made,
  graph: { ...made.graph, outputs: made.graph.outputs.map((o) => ({ ...o, shape })) },
});

/** Tokens [B, L] and their mask to hidden states [B, L, 3], or to their mean over all. */
function encoder(opset: number, pooled: boolean): Model {
  const nodes: Node[] = [
    n('Gather', ['table', 'ids'], ['e']),
    n('MatMul', ['e', 'w'], ['h']),
    n('Tanh', ['h'], [pooled ? 't' : 'y']),
    ...(pooled ? [n('ReduceMax', ['t'], ['y'], { axes: [1], keepdims: 0 })] : []),
  ];
  const tokens = (name: string) => value(name, 'int64', ['batch', 'length']);
  const weights = { table: ramp(6, 4), w: ramp(4, 3) };
  const made = model(graphOf(nodes, weights, [tokens('ids'), tokens('mask')], ['y']), opset);
  return outputs(made, pooled ? ['batch', 3] : ['batch', 'length', 3]);
}
const ids = [1, 2, 3, 0, 4, 5, 0, 0];
const mask = [1, 1, 1, 0, 1, 1, 0, 0];
const shapes = new Map([
  ['ids', [2, 4]],
  ['mask', [2, 4]],
]);

describe('embeddings of tokens', () => {
  it.each([
    [11, false],
    [12, false],
    [17, false],
    [17, true],
  ])(
    'at opset %i (pooled: %s) are pooled where the mask says, scored, and merged with the classes',
    async (opset, pooled) => {
      const file = fileOf(encoder(opset, pooled));
      const bound = bindModel(file, shapes);
      const embedding = embeddingOf(bound, 'auto', null)!;
      expect(embedding.shape).toEqual(pooled ? [2, 3] : [2, 4, 3]);
      const headed = withEmbeddingHead(file, embedding, { mask: 'mask' });
      const head = replaceHead(logitsOf(bindModel(headed, shapes)), 5, 1);
      expect(head.whole).toEqual(['rotune/head.weight', 'rotune/head.bias']);
      const feeds = { ids: tensor('int32', [2, 4], ids), mask: tensor('int32', [2, 4], mask) };
      const scores = numbersOf((await runGraph(head.graph, feeds))[head.value.name]!);
      const hidden = numbersOf((await runGraph(bound, feeds))['y']!);
      const mean = (row: number): number[] =>
        [0, 1, 2].map((d) => {
          if (pooled) return hidden[3 * row + d]!;
          const counted = [0, 1, 2, 3].filter((t) => mask[4 * row + t] === 1);
          return counted.reduce((sum, t) => sum + hidden[3 * (4 * row + t) + d]!, 0) / counted.length;
        });
      const [w, b] = head.whole.map((name) => numbersOf(tensorOf(head.graph.constants.get(name)!)));
      const want = [0, 1].flatMap((row) =>
        [0, 1, 2, 3, 4].map((c) => mean(row).reduce((sum, x, d) => sum + x * w![3 * c + d]!, b![c]!)),
      );
      expect(relative(scores, want)).toBeLessThan(1e-5);

      const turned = findLayers(head.graph).find((layer) => layer.initializer === 'w')!;
      const idle = {
        layer: plannedLayer(turned, defaultSettings, { count: 3, size: 1 }),
        blocks: new Float32Array(3),
      };
      const whole = [
        { name: head.whole[0]!, shape: [5, 3], data: Float32Array.from(w!) },
        { name: head.whole[1]!, shape: [5], data: Float32Array.from(b!) },
      ];
      const classes = ['a', 'b', 'c', 'd', 'e'];
      for (const format of ['onnx', 'onnx_fp16'] as const) {
        const adapter = await writeAdapter(format, {
          layers: [idle],
          whole,
          model: { model: headed.model, classes },
        });
        const bytes = adapter.files[0]!.bytes;
        const wide = (t: Tensor): Tensor => tensor('int64', t.shape, numbersOf(t));
        const out = await run(bytes, { ids: wide(feeds.ids), mask: wide(feeds.mask) });
        expect(relative(Object.values(out)[0]!, want)).toBeLessThan(format === 'onnx' ? 1e-5 : 3e-3);
        // What comes out is a classifier like any other.
        const again = decodeModel(bytes);
        expect(again.graph.outputs[0]!.shape).toEqual(['batch', 5]);
        expect(embeddingOf(bindModel(fileOf(again), shapes), 'auto', classes)).toBeNull();
      }
      for (const format of ['peft', 'lycoris'] as const)
        expect(headLosses(format, whole).join()).toMatch(/rotune\/head\.weight.*merged model/);
    },
  );

  it('are left alone where the model has a last layer, its own classes, or is to be kept', () => {
    const linear = outputs(
      model(
        graphOf([n('MatMul', ['x', 'w'], ['y'])], { w: ramp(4, 3) }, [value('x', 'float32', [2, 4])], ['y']),
      ),
      [2, 3],
    );
    const none = new Map<string, number[]>();
    expect(embeddingOf(bindModel(fileOf(linear), none), 'auto', null)).toBeNull();
    const bound = bindModel(fileOf(encoder(17, true)), shapes);
    expect(embeddingOf(bound, 'keep', null)).toBeNull();
    expect(embeddingOf(bound, 'auto', ['a', 'b', 'c'])).toBeNull();
    expect(embeddingOf(bound, 'new', ['a', 'b', 'c'])!.name).toBe('y');
    // Over its own length: the layer before it gives no scores.
    const unit = outputs(
      model(
        graphOf(
          [
            n('MatMul', ['x', 'w'], ['m']),
            n('ReduceL2', ['m'], ['l'], { axes: [1], keepdims: 1 }),
            n('Div', ['m', 'l'], ['y']),
          ],
          { w: ramp(4, 3) },
          [value('x', 'float32', [2, 4])],
          ['y'],
        ),
      ),
      [2, 3],
    );
    expect(embeddingOf(bindModel(fileOf(unit), none), 'auto', null)!.name).toBe('y');
  });
});

describe('embeddings of pictures', () => {
  const shaped = (...nodes: Node[]): Model =>
    model(
      graphOf(
        [n('Conv', ['x', 'w'], ['c'], { kernel_shape: [3, 3], strides: [2, 2] }), ...nodes],
        {
          w: tensor(
            'float32',
            [8, 3, 3, 3],
            Array.from({ length: 216 }, (_, i) => Math.sin(3 * i)),
          ),
          s: ints(0, 8, -1),
        },
        [value('x', 'float32', ['batch', 3, 16, 16])],
        ['y'],
      ),
    );
  it.each([
    ['places', shaped(n('Tanh', ['c'], ['y'])), ['batch', 8, 7, 7]],
    [
      'patches',
      shaped(
        n('Reshape', ['c', 's'], ['r']),
        n('Transpose', ['r'], ['t'], { perm: [0, 2, 1] }),
        n('Tanh', ['t'], ['y']),
      ),
      ['batch', 49, 8],
    ],
  ] as const)('by %s: dark and light are told apart', async (_, made, shape) => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 8; i++) {
      files[`dark/${i}.png`] = png(16, 16, () => [8 * i, 10, 20]);
      files[`light/${i}.png`] = png(16, 16, () => [255 - 8 * i, 240, 230]);
    }
    const { losses, layout, prepared, after } = await trainTask({
      task: images,
      model: memoryFiles({ 'model.onnx': encodeModel(outputs(made, shape)) }),
      train: memoryFiles(files),
      heldout: memoryFiles(files),
      job: testJob('image-classification', {}, { train: { steps: 25, batch: 8 } }),
      plan: { ...defaultSettings, rules: [] },
      learningRate: 0.03,
      decodeImage: pngDecoder(),
    });
    expect(layout.whole.map((w) => w.shape)).toEqual([[2, 8], [2]]);
    expect(prepared.preview.facts.find((f) => f.label === 'Last layer')!.value).toMatch(/^new \(on top of/);
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    expect(after.metrics[0]!.value).toBe(1);
  });
});
