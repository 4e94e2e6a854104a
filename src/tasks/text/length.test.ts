/** @file How long rows are where nobody says: what models of real exporters have positions for, and what a training step of them takes. */
import { describe, expect, it } from 'vitest';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { estimateMemory } from '#src/program/memory.ts';
import { plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining } from '#src/program/training.ts';
import { OVERHEAD } from '#src/program/verdict.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { LanguageNetwork, readInputs } from '#src/tasks/language/network.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { classifierInputs } from '#src/tasks/text-classification/classifier.ts';
import {
  learnedPositions,
  lengthThatFits,
  readingLength,
  resultBytes,
  SHARE,
  weightBytes,
} from './length.ts';
import { TextTokens } from './tokens.ts';

const zoo = (name: string) => openWhole(diskFiles(`e2e/golden/zoo/${name}`))('model.onnx');

it.each([
  ['gpt2-ts17', readInputs, 32],
  ['gpt2-dyn20', readInputs, 32],
  ['gpt2-past-optimum18', readInputs, 32],
  ['llama-ts17', readInputs, null],
  ['qwen2-ts18', readInputs, null],
  ['bert-cls-ts14', classifierInputs, 32],
  ['bert-cls-dyn18', classifierInputs, 32],
] as const)('%s has positions for so many tokens', async (name, inputs, positions) => {
  const file = await zoo(name);
  expect(learnedPositions(file.model, inputs(file))).toBe(positions);
});

describe('rows', () => {
  it.each(['gpt2-ts17', 'llama-ts17'])(
    'of %s that fit by results fit by the estimate of the step',
    async (name) => {
      const file = await zoo(name);
      const network = new LanguageNetwork(file, readInputs(file));
      const ratios = [8, 32].map((length) => {
        const { graph, layers, loss } = network.training(2, length);
        const layout = parameterLayout(planLayers(layers, { ...defaultSettings, rules: [] }).planned, []);
        const program = compileTraining({ graph, layout, loss, optimiser: plainOptimiser });
        return (estimateMemory(program).activations * OVERHEAD) / resultBytes(network.graph(2, length));
      });
      for (const ratio of ratios) expect(ratio).toBeLessThan(1 / SHARE);
    },
  );

  it('are halved until they fit, by what there is and by the largest tensor', async () => {
    const file = await zoo('llama-ts17');
    const network = new LanguageNetwork(file, readInputs(file));
    const graph = (length: number) => network.graph(2, length);
    const bytes = resultBytes(graph(128)) + weightBytes(graph(128));
    const fit = (memory: { bytes: number | null; largest: number | null }, most = 512) =>
      lengthThatFits(most, { memory }, graph);
    expect(fit({ bytes: null, largest: null })).toBe(512);
    expect(fit({ bytes: bytes / SHARE, largest: null })).toBe(128);
    expect(fit({ bytes: bytes / SHARE - 1, largest: null })).toBe(64);
    expect(fit({ bytes: null, largest: 2 * 128 * network.words(graph(8)) * 4 }, 256)).toBeLessThanOrEqual(
      128,
    );
  });

  it.each<[object, object, number, boolean]>([
    [{}, {}, 32, false],
    [{ model_max_length: 20 }, {}, 20, false],
    [{}, { n_ctx: 24 }, 24, false],
    [{}, { model_type: 'roberta', max_position_embeddings: 26, pad_token_id: 1 }, 24, false],
  ])('%o, %o: %d', async (tokenizerConfig, config, most, exact) => {
    const file = await zoo('gpt2-ts17');
    const tokens = await TextTokens.read(
      memoryFiles({
        'tokenizer.json': JSON.stringify({
          model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' },
          normalizer: null,
          pre_tokenizer: null,
          post_processor: null,
          decoder: null,
          added_tokens: [],
        }),
        'tokenizer_config.json': JSON.stringify(tokenizerConfig),
        'config.json': JSON.stringify(config),
      }),
      'model.onnx',
    );
    const inputs = readInputs(file);
    expect(readingLength(file, inputs, tokens, 0, 2)).toEqual({ most, exact });
    expect(readingLength(file, inputs, tokens, 8, 2)).toEqual({ most: 8, exact: true });
    expect(() => readingLength(file, inputs, tokens, 40, 2)).toThrow(/reads at most \d\d tokens .*, not 40/);
  });
});
