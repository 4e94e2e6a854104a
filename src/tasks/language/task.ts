/** @file Causal language models: text in, the next word out. */
import type { FileSet } from '#src/tasks/files.ts';
import { readHints } from '#src/tasks/modelHints.ts';
import { modelPath } from '#src/tasks/generic/model.ts';
import { oneFile, withDefaults } from '#src/tasks/opened.ts';
import type { OpenModel, SampleWish, Task, TaskHost, TaskJob, TaskModel, Tell } from '#src/tasks/types.ts';
import { languageDefaults } from './info.ts';
import { LanguageNetwork, readInputs } from './network.ts';
import { answer, type LanguageModel, prepareTexts } from './prepare.ts';
import { readingLength } from '#src/tasks/text/length.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';

/** optimum's older exports name the model by its part: without a cache, with and without one in one file. */
const decoderPath = (files: FileSet): string | undefined =>
  ['decoder_model.onnx', 'decoder_model_merged.onnx']
    .map((name) => files.paths.find((path) => path === name || path.endsWith(`/${name}`)))
    .find((path) => path !== undefined);

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const job = withDefaults(given, languageDefaults);
  const file = await openModel(decoderPath(files) ?? modelPath(files));
  const network = new LanguageNetwork(file, readInputs(file), await readHints(files, file.path));
  const tokens = await TextTokens.read(files, file.path);
  const length = readingLength(file, network.inputs, tokens, job.options.length, job.train.batch);
  const model: LanguageModel = { job, network, tokens, length, asking: null };
  return {
    ...oneFile(file),
    layers: () => network.layers(),
    prepare: (train: FileSet, heldout: FileSet | null, host: TaskHost, tell?: Tell) =>
      prepareTexts(model, train, heldout, host, tell),
    sample: (wish: SampleWish, adapted, _, tell) => answer(model, wish.prompts, wish.seed, adapted, tell),
    ask: async ({ texts, seed }, adapted, _, tell) => {
      const said = await answer(model, texts, seed, adapted, tell);
      return { items: texts.map((name, i) => ({ name, text: said.texts?.[i] ?? '' })) };
    },
  };
}

export const task: Task = { id: 'language', open };
