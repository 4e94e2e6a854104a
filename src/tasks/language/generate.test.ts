/** @file What a model writes: ends, windows, seeds; and the scores it writes by. */
import { describe, expect, it } from 'vitest';
import { numbersOf, tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import type { Adapted } from '#src/tasks/types.ts';
import { generate, nextToken, type Wish } from './generate.ts';
import { scoring } from './testing/scoring.ts';
import { LanguageNetwork, readInputs } from './network.ts';

const files = diskFiles('public/models/stories');
const opened = openWhole(files)('model.onnx').then((file) => new LanguageNetwork(file, readInputs(file)));
const tokens = TextTokens.read(files, 'model.onnx');
const LENGTH = 6;

/** Scores by what stands in the window before the place that is asked about. */
const model = (scores: (window: readonly number[]) => Float32Array, seen: number[][] = []): Adapted =>
  scoring((window) => {
    seen.push([...window]);
    return scores(window);
  });
const likes = (words: number, id: number): Float32Array =>
  new Float32Array(words).fill(0).fill(9, id, id + 1);
const wish: Wish = { prompts: [[3]], seed: 0, temperature: 0, topP: 1, newTokens: 8 };
const write = async (adapted: Adapted, changed: Partial<Wish> = {}) =>
  generate(await opened, await tokens, LENGTH, { ...wish, ...changed }, adapted, () => undefined);

describe('texts', () => {
  it('go on to the end token, each row for itself, in a window that slides', async () => {
    const t = await tokens;
    const seen: number[][] = [];
    const end = t.end!;
    const counting = model((window) => likes(200, window.at(-1)! === 9 ? end : window.at(-1)! + 1), seen);
    expect(await write(counting, { prompts: [[3], [7]] })).toEqual([
      t.decode([4, 5, 6, 7, 8, 9]),
      t.decode([8, 9]),
    ]);
    expect(Math.max(...seen.map((w) => w.length))).toBe(LENGTH);
    expect(seen).toContainEqual([4, 5, 6, 7, 8, 9]);
    expect(await write(counting, { newTokens: 2 })).toEqual([t.decode([4, 5])]);
  });

  it('of one seed are one, of another another, whatever else is asked along', async () => {
    const flat = model(() => new Float32Array(200));
    const draw = (seed: number, prompts: number[][] = [[3], [4]]) =>
      write(flat, { temperature: 1, seed, prompts });
    const [first, second] = await draw(1);
    expect(await draw(1)).toEqual([first, second]);
    expect(first).not.toBe(second);
    expect((await draw(2))[0]).not.toBe(first);
    expect((await draw(1, [[3]]))[0]).toBe(first);
  });
});

it('drawn tokens come as often as softmax(scores / temperature) says, none beyond top-p', () => {
  const scores = Float32Array.of(1, 3, 2, 0);
  const counts = (temperature: number, topP: number) => {
    const out = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) out[nextToken(scores, temperature, topP, (i + 0.5) / 10_000)]!++;
    return out.map((n) => n / 10_000);
  };
  const softmax = (t: number, kept: readonly number[]) => {
    const e = [...scores].map((x, i) => (kept.includes(i) ? Math.exp(x / t) : 0));
    return e.map((x) => x / e.reduce((a, b) => a + b));
  };
  for (const t of [0.5, 1, 2])
    counts(t, 1).forEach((share, i) => expect(share).toBeCloseTo(softmax(t, [0, 1, 2, 3])[i]!, 3));
  // At temperature 1 the two likeliest have 0.88 together; 0.64 alone is not 0.7.
  counts(1, 0.7).forEach((share, i) => expect(share).toBeCloseTo(softmax(1, [1, 2])[i]!, 3));
  expect(counts(1, 0.6)).toEqual([0, 1, 0, 0]);
});

it('the scores are those of the place that is asked about', async () => {
  const network = await opened;
  const rows = [
    { ids: Int32Array.of(3, 8, 1, 0, 0, 0), real: 3 },
    { ids: Int32Array.of(5, 6, 7, 8, 9, 4), real: 6 },
  ];
  const as = (feeds: Readonly<Record<string, TypedArray>>, shape: number[]) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, data]) => [
        name,
        tensor('int32', shape, Array.from(data as ArrayLike<number | bigint>, Number)),
      ]),
    );
  const whole = network.graph(2, LENGTH);
  const inputs = as(network.feeds(whole, rows), [2, LENGTH]);
  const logits = numbersOf((await runGraph(whole, inputs))[whole.outputs[0]!.name]!);
  const { graph, output } = network.next(2, LENGTH);
  const places = as(network.places([2, 5], LENGTH), [2]);
  const got = numbersOf((await runGraph(graph, { ...inputs, ...places }))[output]!);
  const words = network.words(whole);
  for (const [r, place] of [2, LENGTH + 5].entries())
    expect(got.slice(r * words, (r + 1) * words)).toEqual(logits.slice(place * words, (place + 1) * words));
});
