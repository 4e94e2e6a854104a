/** @file Place by place with a cache, models of every exporter give the scores that they give of the whole text. */
import { describe, expect, it } from 'vitest';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { LanguageNetwork, readInputs } from '../network.ts';
import { incremental, orderFeed, rowsFeed } from './incremental.ts';

const models = [
  'e2e/golden/zoo/gpt2-dyn20',
  'e2e/golden/zoo/gpt2-ts17',
  'e2e/golden/zoo/gpt2-past-optimum18',
  'e2e/golden/zoo/llama-dyn20',
  'e2e/golden/zoo/llama-ts17',
  'e2e/golden/zoo/qwen2-ts18',
  'public/models/stories',
];

const opened = async (folder: string): Promise<LanguageNetwork> => {
  const file = await openWhole(diskFiles(folder))('model.onnx');
  return new LanguageNetwork(file, readInputs(file));
};

// 8 and 16 are widths of heads, too.
describe.each(models)('%s', (folder) => {
  it.each([
    [1, 11],
    [3, 11],
    [2, 8],
    [2, 16],
  ])('%i of %i places at a time', async (rows, LENGTH) => {
    const network = await opened(folder);
    const whole = network.graph(1, LENGTH);
    const scores = whole.outputs[0]!;
    const texts = new Set(
      [...network.inputs.roles].flatMap(([name, role]) => (role === 'mask' ? [] : [name])),
    );
    const { graph, output, caches } = incremental(whole, scores, rows, texts);
    // Nothing but attention's own products still looks at the whole text.
    const wide = graph.nodes.filter(
      (n) => n.op === 'Gemm' && graph.values.get(n.outputs[0]!)!.shape[0] === LENGTH,
    );
    expect(wide).toEqual([]);
    expect(caches.length).toBeGreaterThan(0);

    const ids = Int32Array.from({ length: LENGTH }, (_, i) => (i * 7 + 3) % 31);
    const feedsOf = (real: number): Record<string, Tensor> =>
      Object.fromEntries(
        Object.entries(network.feeds(whole, [{ ids: ids.map((id, i) => (i < real ? id : 0)), real }])).map(
          ([name, data]) => {
            const { type, shape } = whole.inputs.find((v) => v.name === name)!;
            return [name, tensor(type, shape, Array.from(data as ArrayLike<number | bigint>, Number))];
          },
        ),
      );
    const want = numbersOf((await runGraph(whole, feedsOf(LENGTH)))[scores.name]!);
    const words = scores.shape[2]!;
    const held = new Map(
      caches.map((c) => [
        c.input,
        tensor('float32', c.shape, Array<number>(c.shape.reduce((a, b) => a * b)).fill(0)),
      ]),
    );
    for (let first = 0; first < LENGTH; first += rows) {
      const start = Math.min(first, LENGTH - rows);
      const places = Array.from({ length: rows }, (_, i) => start + i);
      const order = Array.from({ length: LENGTH }, (_, i) => (places.includes(i) ? LENGTH + i - start : i));
      const out = await runGraph(graph, {
        ...feedsOf(start + rows),
        ...Object.fromEntries(held),
        [rowsFeed]: tensor('int32', [rows], places),
        [orderFeed]: tensor('int32', [LENGTH], order),
      });
      const got = numbersOf(out[output]!);
      const expected = want.slice(start * words, (start + rows) * words);
      const most = Math.max(...expected.map(Math.abs));
      got.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(2e-5 * most));
      for (const { input, output: name, shape, axis } of caches) {
        const cache = held.get(input)!.data as Float32Array;
        const fresh = numbersOf(out[name]!);
        const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
        for (let o = 0; o < outer; o++)
          for (let r = 0; r < rows; r++)
            for (let k = 0; k < inner; k++)
              cache[(o * LENGTH + start + r) * inner + k] = fresh[(o * rows + r) * inner + k]!;
      }
    }
  });
});
