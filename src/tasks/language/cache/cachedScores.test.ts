/** @file What a model writes with a cache is what it writes when it reads the whole text for each token. */
import { afterAll, describe, expect, it } from 'vitest';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { taskBench } from '#src/tasks/testing/bench.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import type { Adapted } from '#src/tasks/types.ts';
import { LanguageNetwork, readInputs } from '../network.ts';
import { CachedScores } from './cachedScores.ts';

const LENGTH = 32;
const bench = taskBench();
afterAll(async () => (await bench).dispose());

const opened = async (folder: string): Promise<LanguageNetwork> => {
  const file = await openWhole(diskFiles(folder))('model.onnx');
  return new LanguageNetwork(file, readInputs(file));
};

/** With rotations that do something, on either side. */
async function adapted(network: LanguageNetwork, side: 'input' | 'output'): Promise<Adapted> {
  const settings = { ...defaultSettings, side, blocks: { size: 4, fit: 'nearest' }, rules: [] } as const;
  const layout = parameterLayout(planLayers(findLayers(network.graph(1, LENGTH)), settings).planned);
  return (await bench).adapted(
    layout,
    Float32Array.from({ length: layout.size }, (_, i) => 0.1 * Math.sin(i * 12.9898)),
  );
}

async function byWholeText(
  network: LanguageNetwork,
  model: Adapted,
  ids: readonly number[],
): Promise<number[]> {
  const { graph, output } = network.next(1, LENGTH);
  const run = await model.run('whole', graph);
  const row = new Int32Array(LENGTH);
  row.set(ids);
  const feeds = network.feeds(graph, [{ ids: row, real: ids.length }]);
  return [
    ...((await run({ ...feeds, ...network.places([ids.length - 1], LENGTH) }))[output] as Float32Array),
  ];
}

describe.each(['public/models/stories', 'e2e/golden/zoo/llama-ts17', 'e2e/golden/zoo/gpt2-past-optimum18'])(
  '%s',
  (folder) => {
    it.each(['input', 'output'] as const)(
      'gives the same scores, whatever was asked before, %s side',
      async (side) => {
        const network = await opened(folder);
        const model = await adapted(network, side);
        const cached = (await CachedScores.open(network, LENGTH, 0, model))!;
        const text = Array.from({ length: LENGTH }, (_, i) => (i * 7 + 3) % 31);
        // A prompt, one token more and again, up to the last place; another text; the first one again, shorter.
        const asked = [
          text.slice(0, 13),
          text.slice(0, 14),
          text.slice(0, 15),
          text.slice(0, 31),
          text,
          [...text.slice(0, 5), 1, 2, 3],
          text.slice(0, 3),
          text.slice(0, 1),
        ];
        for (const ids of asked) {
          const got = await cached.next(ids);
          const want = await byWholeText(network, model, ids);
          const most = Math.max(...want.map(Math.abs));
          expect(got).toHaveLength(want.length);
          got.forEach((x, i) => expect(Math.abs(x - want[i]!)).toBeLessThan(5e-5 * most));
        }
      },
    );
  },
);

it('is not used where it would not pay, or where a place sees what comes after it', async () => {
  const network = await opened('public/models/stories');
  const model = await adapted(network, 'output');
  expect(await CachedScores.open(network, 16, 0, model)).toBeNull();
  const ahead = await opened('public/models/stories');
  const peeking: Adapted = {
    run: async (slot, graph) => {
      const run = await model.run(slot, graph);
      return async (feeds) => {
        const out = await run(feeds);
        const last = (feeds['input_ids'] as Int32Array)[7]!;
        return {
          ...out,
          [graph.outputs[0]!.name]: (out[graph.outputs[0]!.name] as Float32Array).map((x) => x + last),
        };
      };
    },
  };
  expect(await CachedScores.open(ahead, LENGTH, 0, peeking)).toBeNull();
});
