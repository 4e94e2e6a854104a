/** @file Causal language models: text in, the next word out. */
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { countWeights, modelPath } from '#src/tasks/generic/model.ts';
import type { OpenModel, SampleWish, Task, TaskHost, TaskJob, TaskModel, Tell } from '#src/tasks/types.ts';
import { languageDefaults, type LanguageOptions } from './info.ts';
import { LanguageNetwork, readInputs } from './network.ts';
import { answer, type LanguageModel, prepareTexts } from './prepare.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';

/** Rows are no longer than this where nobody says so: memory grows with them. */
const USUAL = 256;

/** optimum's older exports name the model by its part: without a cache, with and without one in one file. */
const decoderPath = (files: FileSet): string | undefined =>
  ['decoder_model.onnx', 'decoder_model_merged.onnx']
    .map((name) => files.paths.find((path) => path === name || path.endsWith(`/${name}`)))
    .find((path) => path !== undefined);

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const options = { ...languageDefaults, ...(given.options as Partial<LanguageOptions>) };
  const job: TaskJob<LanguageOptions> = { ...given, options };
  const file = await openModel(decoderPath(files) ?? modelPath(files));
  const network = new LanguageNetwork(file, readInputs(file));
  const tokens = await TextTokens.read(files, file.path);
  const { length: fixed, batch } = network.inputs;
  if (fixed !== null && options.length !== 0 && options.length !== fixed)
    throw new DataError(
      `${file.path} reads exactly ${fixed} tokens, not ${options.length}. Set the length to ${fixed} or 0, or export the model with a free length.`,
    );
  if (batch !== null && batch !== job.train.batch)
    throw new DataError(
      `${file.path} takes batches of exactly ${batch}, not ${job.train.batch}. Set the batch to ${batch}, or export the model with a free batch.`,
    );
  if (tokens.longest !== null && options.length > tokens.longest)
    throw new DataError(
      `The model reads at most ${tokens.longest} tokens (config.json or tokenizer_config.json), not ${options.length}. Choose a smaller length.`,
    );
  const length = fixed ?? (options.length || Math.min(USUAL, tokens.longest ?? USUAL));
  const model: LanguageModel = { job, network, tokens, length };
  return {
    hash: file.hash,
    bytes: file.bytes,
    weights: countWeights(file.model),
    parts: [{ part: '', file }],
    layers: () => network.layers(),
    prepare: (train: FileSet, heldout: FileSet | null, _: TaskHost, tell?: Tell) =>
      prepareTexts(model, train, heldout, tell),
    sample: (wish: SampleWish, adapted, _, tell) => answer(model, wish.prompts, wish.seed, adapted, tell),
  };
}

export const task: Task = { id: 'language', open };
