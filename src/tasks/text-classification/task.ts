/** @file Text classification: texts and labels in, a class out. */
import { readClassNames } from '#src/tasks/classification/classes.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { countWeights, openSingle } from '#src/tasks/generic/model.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import type {
  Adapted,
  OpenModel,
  Samples,
  SampleWish,
  Task,
  TaskHost,
  TaskJob,
  TaskModel,
  Tell,
} from '#src/tasks/types.ts';
import { classifierInputs, TextClassifier } from './classifier.ts';
import { textClassDefaults, type TextClassOptions } from './info.ts';
import { prepareLabelled } from './prepare.ts';
import { lengthFor, tokenise, USUAL_LENGTH } from './rows.ts';
import { sorted } from './score.ts';

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const options = { ...textClassDefaults, ...(given.options as Partial<TextClassOptions>) };
  const job: TaskJob<TextClassOptions> = { ...given, options };
  const file = await openSingle(files, openModel);
  const inputs = classifierInputs(file);
  const tokens = await TextTokens.read(files, file.path);
  const { length: fixed, batch } = inputs;
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
      `The model reads at most ${tokens.longest} tokens (tokenizer_config.json), not ${options.length}. Choose a smaller length.`,
    );
  const most = fixed ?? (options.length || Math.min(USUAL_LENGTH, tokens.longest ?? USUAL_LENGTH));
  const names = await readClassNames(files, file.path);
  const classifier = new TextClassifier(file, job, inputs, tokens, names);

  const sample = (
    { prompts, classes, newHead }: SampleWish,
    adapted: Adapted,
    _: TaskHost,
    tell: Tell,
  ): Promise<Samples> => {
    const texts = prompts.map((text) => tokenise(tokens, { text, pair: null }, most));
    const length = fixed ?? lengthFor(texts, most);
    const shown = classes ?? classifier.classNames();
    const head = { classifier, classes: newHead ? shown.length : null, names: shown };
    return sorted(head, prompts, length, adapted, tell);
  };
  return {
    hash: file.hash,
    bytes: file.bytes,
    weights: countWeights(file.model),
    parts: [{ part: '', file }],
    layers: () => classifier.layers(),
    prepare: (train: FileSet, heldout: FileSet | null, _: TaskHost, tell?: Tell) =>
      prepareLabelled(classifier, most, fixed !== null, train, heldout, tell),
    sample,
  };
}

export const task: Task = { id: 'text-classification', open };
