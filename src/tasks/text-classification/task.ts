/** @file Text classification: texts and labels in, a class out. */
import { listedNames, readClassNames } from '#src/tasks/classification/classes.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { openSingle } from '#src/tasks/generic/model.ts';
import { oneFile, withDefaults } from '#src/tasks/opened.ts';
import { readingLength } from '#src/tasks/text/length.ts';
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
import { textClassDefaults } from './info.ts';
import { prepareLabelled } from './prepare.ts';
import { lengthFor, tokenise, type Tokenised } from './rows.ts';
import { askedTexts, type Head, sorted } from './score.ts';

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const job = withDefaults(given, textClassDefaults);
  const file = await openSingle(files, openModel);
  const inputs = classifierInputs(file);
  const tokens = await TextTokens.read(files, file.path);
  const length = readingLength(file, inputs, tokens, job.options.length, job.train.batch);
  const names = listedNames(job.options) ?? (await readClassNames(files, file.path));
  const classifier = new TextClassifier(file, job, inputs, tokens, names).withHead();

  /** Tokens of rows that hold these texts. */
  const rowOf = async (texts: readonly string[]): Promise<number> => {
    const rows: Tokenised[] = [];
    for (const text of texts) rows.push(await tokenise(tokens, { text, pair: null }, length.most));
    return inputs.length ?? lengthFor(rows, length.most);
  };
  const headOf = ({ classes, newHead }: Pick<SampleWish, 'classes' | 'newHead'>): Head => {
    const names = classes ?? classifier.classNames();
    return { classifier, classes: newHead ? names.length : null, names };
  };
  const sample = async (wish: SampleWish, adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> =>
    sorted(headOf(wish), wish.prompts, await rowOf(wish.prompts), adapted, tell);
  return {
    ...oneFile(file, classifier.file),
    layers: () => classifier.layers(),
    prepare: (train: FileSet, heldout: FileSet | null, host: TaskHost, tell?: Tell) =>
      prepareLabelled(classifier, length, train, heldout, host, tell),
    sample,
    ask: async (question, adapted, _, tell) => ({
      items: await askedTexts(headOf(question), question.texts, await rowOf(question.texts), adapted, tell),
    }),
  };
}

export const task: Task = { id: 'text-classification', open };
