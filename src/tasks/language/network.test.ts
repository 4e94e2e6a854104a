/** @file Language models of real exporters: their scores with an empty cache, and a loss that falls. */
import * as ort from 'onnxruntime-web';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Node } from '#src/onnx/model.ts';
import { graphOf, ints, model as modelOf, n, ramp, scalar, value } from '#src/ops/testing/models.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { LanguageNetwork, readInputs } from './network.ts';

const network = async (name: string): Promise<LanguageNetwork> => {
  const files = diskFiles(`e2e/golden/zoo/${name}`);
  const file = await openWhole(files)('model.onnx');
  return new LanguageNetwork(file, readInputs(file));
};
const row = (ids: number[], real = ids.length) => ({ ids: Int32Array.from(ids), real });
const rows = [row([5, 3, 8, 1, 2]), row([7, 7, 4, 0, 0], 3)];

const asTensors = (
  feeds: Readonly<Record<string, { readonly length: number }>>,
  of: LanguageNetwork,
  shape: number[],
) => {
  const graph = of.graph(shape[0]!, shape[1]!);
  return Object.fromEntries(
    graph.inputs.map(({ name, type }): [string, Tensor] => [
      name,
      tensor(type, shape, Array.from(feeds[name] as ArrayLike<number | bigint>, Number)),
    ]),
  );
};

describe('with an empty cache', () => {
  it('gives the scores that the file gives', async () => {
    const model = await network('gpt2-past-optimum18');
    const graph = model.graph(2, 5);
    expect(graph.inputs.map((v) => v.name).some((name) => name.includes('past'))).toBe(false);
    const found = await runGraph(graph, asTensors(model.feeds(graph, rows), model, [2, 5]));

    const session = await ort.InferenceSession.create(
      readFileSync('e2e/golden/zoo/gpt2-past-optimum18/model.onnx'),
    );
    const feeds = Object.fromEntries(
      session.inputNames.map((name): [string, ort.Tensor] => {
        if (name.includes('past'))
          return [name, new ort.Tensor('float32', new Float32Array(0), [2, 4, 0, 8])];
        const role = model.inputs.roles.get(name);
        const values = rows.flatMap(({ ids, real }) =>
          Array.from(ids, (id, i) => (role === 'ids' ? id : role === 'mask' ? Number(i < real) : i)),
        );
        return [name, new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [2, 5])];
      }),
    );
    const expected = await session.run(feeds);
    const logits = expected['logits']!;
    const want = Array.from(logits.data as Float32Array);
    const got = numbersOf(found[graph.outputs[0]!.name]!);
    expect(got.length).toBe(want.length);
    // What padding gives is never read.
    const words = want.length / 10;
    got.forEach((x, i) => {
      if (Math.floor(i / words) < 8) expect(Math.abs(x - want[i]!)).toBeLessThan(1e-5);
    });
  });
});

test('optimum’s merged decoders go the way without a cache', async () => {
  const branch = (nodes: Node[]) => ({ kind: 'graph' as const, value: graphOf(nodes, {}, [], ['logits']) });
  const graph = graphOf(
    [
      n('Gather', ['words', 'input_ids'], ['h'], { axis: 0 }),
      n('If', ['use_cache_branch'], ['logits'], {
        then_branch: branch([
          n('Squeeze', ['past_key_values.0.key', 'one'], ['before']),
          n('Concat', ['before', 'h'], ['all'], { axis: 1 }),
          n('MatMul', ['all', 'w'], ['logits']),
        ]),
        else_branch: branch([n('MatMul', ['h', 'w'], ['logits'])]),
      }),
    ],
    { words: ramp(9, 4), w: ramp(4, 9), one: ints(1) },
    [
      value('input_ids', 'int64', ['batch', 'length']),
      value('attention_mask', 'int64', ['batch', 'all']),
      value('past_key_values.0.key', 'float32', ['batch', 1, 'past', 4]),
      value('use_cache_branch', 'bool', [1]),
    ],
    ['logits'],
  );
  const bytes = encodeModel(
    modelOf({ ...graph, outputs: [value('logits', 'float32', ['batch', 'length', 9])] }),
  );
  const files = memoryFiles({ 'decoder_model_merged.onnx': bytes });
  const file = await openWhole(files)('decoder_model_merged.onnx');
  const model = new LanguageNetwork(file, readInputs(file));
  const made = model.graph(2, 5);
  expect(made.inputs.map((v) => v.name)).toEqual(['input_ids']);
  const found = await runGraph(made, asTensors(model.feeds(made, rows), model, [2, 5]));
  const session = await ort.InferenceSession.create(bytes);
  const ids = rows.flatMap((r) => [...r.ids]);
  const want = await session.run({
    input_ids: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [2, 5]),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(10).fill(1n), [2, 5]),
    'past_key_values.0.key': new ort.Tensor('float32', new Float32Array(0), [2, 1, 0, 4]),
    use_cache_branch: new ort.Tensor('bool', Uint8Array.of(0), [1]),
  });
  numbersOf(found['logits']!).forEach((x, i) =>
    expect(Math.abs(x - Number(want['logits']!.data[i]))).toBeLessThan(1e-5),
  );
  expect(model.layers().map((l) => l.initializer)).toEqual(['w']);
});

/** As onnxruntime-genai's builder writes it: the cache's width is called kv_cache_dim and fixed nowhere. */
const grouped = (declared: boolean) => {
  const cache = ['batch_size', 1, 'past_sequence_length', 'kv_cache_dim'] as const;
  const attention: Node = {
    ...n(
      'GroupQueryAttention',
      ['q', 'k', 'k', 'past_key_values.0.key', 'past_key_values.0.value', 'lengths', 'total'],
      ['a', 'present.0.key', 'present.0.value'],
      { num_heads: 2, kv_num_heads: 1 },
    ),
    domain: 'com.microsoft',
  };
  const nodes = [
    n('Gather', ['words', 'input_ids'], ['h'], { axis: 0 }),
    n('MatMul', ['h', 'wq'], ['q']),
    n('MatMul', ['h', 'wk'], ['k']),
    n('ReduceSum', ['attention_mask', 'one'], ['count'], { keepdims: 0 }),
    n('Sub', ['count', 'one'], ['last']),
    n('Cast', ['last'], ['lengths'], { to: 6 }),
    n('Shape', ['attention_mask'], ['shape']),
    n('Gather', ['shape', 'axis'], ['all'], { axis: 0 }),
    n('Cast', ['all'], ['total'], { to: 6 }),
    declared
      ? attention
      : n('Concat', ['past_key_values.0.key', 'past_key_values.0.value'], ['a'], { axis: 2 }),
    n('MatMul', [declared ? 'a' : 'h', 'out'], ['logits']),
  ];
  const graph = graphOf(
    nodes,
    {
      words: ramp(11, 8),
      wq: ramp(8, 8),
      wk: ramp(8, 4),
      out: ramp(8, 11),
      one: ints(1),
      axis: scalar(1, 'int64'),
    },
    [
      value('input_ids', 'int64', ['batch_size', 'sequence_length']),
      value('attention_mask', 'int64', ['batch_size', 'total_sequence_length']),
      value('past_key_values.0.key', 'float32', cache),
      value('past_key_values.0.value', 'float32', cache),
    ],
    ['logits'],
  );
  return memoryFiles({ 'model.onnx': encodeModel(modelOf(graph)) });
};

test('a cache of open width is bound as its attention has it', async () => {
  const file = await openWhole(grouped(true))('model.onnx');
  const model = new LanguageNetwork(file, readInputs(file));
  expect(model.graph(2, 5).outputs[0]!.shape).toEqual([2, 5, 11]);
  expect(model.layers().map((l) => l.initializer)).toEqual(['wq', 'wk', 'out']);
});

test('a cache whose width nothing says is refused with the way out', async () => {
  const file = await openWhole(grouped(false))('model.onnx');
  expect(() => new LanguageNetwork(file, readInputs(file))).toThrow(
    /does not say the width of its cache past_key_values\.0\.key\. Put the model's config\.json or genai_config\.json beside it/,
  );
  expect(new LanguageNetwork(file, readInputs(file), { headSize: 4 }).graph(2, 5).outputs[0]!.shape).toEqual([
    2, 5, 11,
  ]);
});

test.each(['gpt2-ts17', 'gpt2-dyn20', 'gpt2-past-optimum18', 'llama-dyn20', 'llama-ts17', 'qwen2-ts18'])(
  '%s: the loss is −ln p of the tokens that follow',
  async (name) => {
    const model = await network(name).catch((error: unknown) => error as Error);
    if (model instanceof Error) throw model;
    const { batch, length } = model.inputs;
    const [b, l] = [batch ?? 2, length ?? 5];
    const some = Array.from({ length: b }, (_, r) =>
      row(Array.from({ length: l }, (__, i) => (3 * i + r) % 11)),
    );
    const { graph, output } = model.judging(b, l);
    const plain = model.graph(b, l);
    const inputs = asTensors(model.feeds(plain, some), model, [b, l]);
    const logits = (await runGraph(plain, inputs))[plain.outputs[0]!.name]!;
    const answers = some.map(({ ids }) => ({
      next: ids.map((id) => (id + 1) % 11),
      counted: new Uint8Array(l).fill(1),
    }));
    const fed = model.answers(answers);
    const out = await runGraph(graph, {
      ...inputs,
      ...Object.fromEntries(
        Object.entries(fed).map(([key, data]) => [
          key,
          tensor(
            data instanceof Float32Array ? 'float32' : 'int32',
            [b * l],
            Array.from(data as ArrayLike<number>),
          ),
        ]),
      ),
    });
    const scores = numbersOf(logits);
    const words = logits.shape[2]!;
    let expected = 0;
    answers.forEach(({ next }, r) =>
      next.forEach((id, i) => {
        const at = (r * l + i) * words;
        const sum = scores.slice(at, at + words).reduce((n, x) => n + Math.exp(x), 0);
        expected += Math.log(sum) - scores[at + id]!;
      }),
    );
    expect(numbersOf(out[output]!)[0]).toBeCloseTo(expected, 3);
    expect(model.training(b, l).layers.length).toBeGreaterThan(3);
  },
);
