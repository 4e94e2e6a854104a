/** @file Classifiers of real exporters: padding changes no score, a new head has the data's classes. */
import { describe, expect, it } from 'vitest';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { textFeeds } from '#src/tasks/text/inputs.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import type { TaskJob } from '#src/tasks/types.ts';
import { classifierInputs, TextClassifier } from './classifier.ts';
import { type TextClassOptions, textClassDefaults } from './info.ts';
import { padded } from './rows.ts';

const tokens = await TextTokens.read(diskFiles('public/models/topics'), 'model.onnx');
const job = testJob('text-classification', textClassDefaults) as TaskJob<TextClassOptions>;

async function classifier(folder: string): Promise<TextClassifier> {
  const file = await openWhole(diskFiles(folder))('model.onnx');
  return new TextClassifier(file, job, classifierInputs(file), tokens, null);
}

/** Logits of one text, in rows of the length. */
async function scores(model: TextClassifier, ids: readonly number[], length: number): Promise<number[]> {
  const { graph, logits } = model.graph(1, length, null);
  const row = padded({ ids, types: ids.map(() => 0), lost: 0 }, length, 0);
  const feeds = textFeeds(graph, model.inputs, [row]);
  const tensors = Object.fromEntries(
    graph.inputs.map(({ name, type }) => [name, tensor(type, [1, length], Array.from(feeds[name]!, Number))]),
  );
  return numbersOf((await runGraph(graph, tensors))[logits.name]!);
}

describe.each(['e2e/golden/zoo/bert-cls-ts14', 'e2e/golden/zoo/bert-cls-dyn18', 'public/models/topics'])(
  '%s',
  (folder) => {
    it('gives a text the same scores whatever it is filled up to', async () => {
      const model = await classifier(folder);
      const ids = [2, 7, 11, 5, 9, 3];
      const bare = await scores(model, ids, 6);
      expect(bare).toHaveLength(model.classNames().length);
      for (const length of [8, 24])
        (await scores(model, ids, length)).forEach((x, i) => {
          expect(Math.abs(x - bare[i]!)).toBeLessThan(1e-5);
        });
      const other = await scores(model, [2, 8, 11, 5, 9, 3], 6);
      expect(other.some((x, i) => Math.abs(x - bare[i]!) > 1e-3)).toBe(true);
    });

    it('knows its words, its layers, and takes another number of classes', async () => {
      const model = await classifier(folder);
      expect(model.words()).toBeGreaterThan(50);
      const { layers, whole, graph } = model.training(2, 8, 5);
      expect(layers.length).toBe(model.layers().length - 1);
      expect(whole!.map((name) => graph.constants.get(name)!.shape).some((shape) => shape.includes(5))).toBe(
        true,
      );
    });
  },
);

it('a model that has no scores by class is refused, with what it has', async () => {
  const model = await classifier('e2e/golden/zoo/bert-optimum14');
  expect(() => model.layers()).toThrow(/no output with a score for each class.*last_hidden_state/);
});

it('a model of pictures is refused', async () => {
  await expect(classifier('public/models/shapes')).rejects.toThrow(
    /has an input \w+ that text has nothing for/,
  );
});
