/** @file Texts and classifier together: what is fed, how it is judged, what the wall shows. */
import { Breath } from '#src/platform/breath.ts';
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import { badNumbers, type HeadChoice } from '#src/tasks/classification/classes.ts';
import { splitByClass, spread } from '#src/tasks/classification/choose.ts';
import { classesOf, classProblems, strangeClasses } from '#src/tasks/classification/labels.ts';
import { PreparedClasses } from '#src/tasks/classification/prepared.ts';
import { accuracies, type Judgement, judge, macroF1 } from '#src/tasks/classification/metrics.ts';
import { classFacts, classReport } from '#src/tasks/classification/report.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { Found } from '#src/tasks/prepared.ts';
import { nothingLeft } from '#src/tasks/problems.ts';
import { textFeeds, type TokenRow } from '#src/tasks/text/inputs.ts';
import { lengthThatFits, type ReadingLength } from '#src/tasks/text/length.ts';
import { eachText, sampleProblems, tokenProblems } from '#src/tasks/text/problems.ts';
import type {
  Adapted,
  DataPreview,
  PreparedTask,
  Samples,
  TaskEvaluation,
  TaskHost,
  TaskProblem,
  Tell,
  Tensors,
  TrainedGraph,
} from '#src/tasks/types.ts';
import type { TextClassifier } from './classifier.ts';
import { type LabelledText, readLabelledTexts, repeatedTexts } from './data.ts';
import { cutProblems, lengthFor, padded, type Text, type Tokenised, tokenise } from './rows.ts';
import { type Head, score, sorted } from './score.ts';

/** One text with its tokens and the index of its class. */
interface Example extends Tokenised {
  readonly name: string;
  /** As it is shown. */
  readonly text: string;
  readonly source: Text;
  readonly label: number;
}

const SHOWN = 8;
/** Characters of a text in the preview, and in a table. */
const LONG = 400;
const SHORT = 80;

const shown = ({ text, pair }: Pick<LabelledText, 'text' | 'pair'>): string =>
  pair === null ? text : `${text} | ${pair}`;
const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/**
 * Reads and checks the data. Lists problems; throws only what the model itself lacks.
 * @param reading tokens of a text at most
 */
export async function prepareLabelled(
  classifier: TextClassifier,
  reading: ReadingLength,
  train: FileSet,
  heldout: FileSet | null,
  host: TaskHost,
  tell?: Tell,
): Promise<PreparedTask> {
  const { job, tokens, inputs } = classifier;
  const own = await readLabelledTexts(train, job.options, tell);
  const other = heldout ? await readLabelledTexts(heldout, job.options, tell) : null;
  const held = other?.texts ?? own.heldout ?? [];
  const total = own.texts.length + held.length;
  let done = 0;
  /** Between what takes a while for many texts. */
  const breath = new Breath(() => tell?.(done, Math.max(1, total)));
  const problems: TaskProblem[] = [
    ...own.problems,
    ...(other?.problems ?? []),
    ...classProblems(own.texts, train.name, 'texts'),
    ...(await repeatedTexts(own.texts, breath)),
  ];
  const labels = classesOf(own.texts);
  const choice = classifier.choose(labels);
  problems.push(...badNumbers(labels));
  if (labels.length > 0) problems.push(...choice.problems);
  problems.push(...strangeClasses(held, new Set(choice.indexOf.keys()), 'texts'));

  const read = (texts: readonly LabelledText[]): Promise<Example[]> =>
    eachText(
      texts,
      async ({ name, text, pair, label: word }, between) => {
        const label = choice.indexOf.get(word);
        if (label === undefined) return null;
        const source = { text, pair };
        const tokenised = await tokenise(tokens, source, reading.most, between);
        return { ...tokenised, name, text: shown(source), source, label };
      },
      problems,
      (made) => tell?.((done += made), total),
    );
  let training = await read(own.texts);
  let judged = await read(held);
  const most = lengthOf(classifier, choice, reading, [...training, ...judged], host);
  const cutTo = async (texts: readonly Example[]): Promise<Example[]> => {
    const all: Example[] = [];
    for (const e of texts) {
      if (breath.due) await breath.take();
      all.push(e.ids.length > most ? { ...e, ...(await tokenise(tokens, e.source, most, breath)) } : e);
    }
    return all;
  };
  [training, judged] = [await cutTo(training), await cutTo(judged)];
  const all = [...training, ...judged];
  problems.push(
    ...cutProblems(all, most),
    ...(await tokenProblems(
      all.map((e) => e.ids),
      tokens,
      classifier.words(),
      breath,
    )),
    ...(await sampleProblems(job.sample.prompts, (text) => tokenise(tokens, { text, pair: null }, most))),
  );
  if (held.length === 0 && job.data.split > 0)
    ({ train: training, heldout: judged } = splitByClass(training, job.data.split, job.train.seed));
  problems.push(
    ...nothingLeft(
      training,
      problems,
      train.name,
      'no text to train on.',
      'Add texts, or hold fewer of them out.',
    ),
  );
  const length = inputs.length ?? lengthFor(all, most);
  return new PreparedLabelled(classifier, choice, length, training, judged, {
    problems,
    dataHash: await sha256Lines(
      linesOf(JSON.stringify([length, choice.kind, choice.names]), training),
      breath,
    ),
    preview: previewOf(training, judged, choice, length, classifier.scores()),
  });
}

/** All that the data hash is of. */
function* linesOf(first: string, examples: readonly Example[]): Generator<string, void, undefined> {
  yield first;
  for (const e of examples) yield `${e.ids.join(' ')}|${e.types.join('')}|${e.label}`;
}

/** Tokens of a row: what was asked for, else as many as the texts need, the model takes and the memory holds. */
function lengthOf(
  classifier: TextClassifier,
  { kind, names }: HeadChoice,
  { most, exact }: ReadingLength,
  texts: readonly Tokenised[],
  host: TaskHost,
): number {
  if (exact) return most;
  const { job, inputs } = classifier;
  return lengthThatFits(
    lengthFor(texts, most),
    host,
    (length) =>
      classifier.graph(inputs.batch ?? job.train.batch, length, kind === 'new' ? names.length : null).graph,
  );
}

/** Figures by class and the first texts of each. */
function previewOf(
  training: readonly Example[],
  judged: readonly Example[],
  choice: HeadChoice,
  length: number,
  scores: string,
): DataPreview {
  return {
    facts: [
      { label: 'Texts', value: `${training.length} to train, ${judged.length} held out` },
      { label: 'Tokens of a text', value: `${length}, shorter ones are filled up` },
      ...classFacts(training, choice, scores),
    ],
    items: spread(training, SHOWN).map((e) => ({
      name: `${choice.names[e.label] ?? e.label} (${e.name})`,
      text: cut(e.text, LONG),
    })),
  };
}

class PreparedLabelled extends PreparedClasses<Example> {
  #training: TrainedGraph | undefined;

  constructor(
    readonly classifier: TextClassifier,
    choice: HeadChoice,
    readonly length: number,
    examples: readonly Example[],
    heldout: readonly Example[],
    found: Found,
  ) {
    super(choice, examples, heldout, classifier.job, found);
  }

  get #head(): Head {
    const classes = this.choice.kind === 'new' ? this.choice.names.length : null;
    return { classifier: this.classifier, classes, names: this.choice.names };
  }

  training(): TrainedGraph {
    const { job } = this.classifier;
    return (this.#training ??= this.classifier.training(job.train.batch, this.length, this.#head.classes));
  }

  #row(example: Example): TokenRow {
    return padded(example, this.length, this.classifier.tokens.pad);
  }

  feeds(step: number, micro: number): Tensors {
    const { graph } = this.training();
    const { chosen } = this.turn(step, micro, 'text', 'file or folder');
    const rows = chosen.map((e) => this.#row(e));
    return { ...textFeeds(graph, this.classifier.inputs, rows), ...this.targets(chosen, graph.inputs) };
  }

  protected async judge(adapted: Adapted, tell: Tell): Promise<TaskEvaluation> {
    const { names } = this.choice;
    const judgements: Judgement[] = [];
    const rows = this.heldout.map((e) => this.#row(e));
    await score(this.#head, rows, this.length, adapted, tell, (i, scores, scale) => {
      const { text, label } = this.heldout[i]!;
      judgements.push(judge(cut(text, SHORT), label, scores, scale));
    });
    return classReport(judgements, names, 'text', [...accuracies(judgements), macroF1(judgements)]);
  }

  /** The job's own texts, or a few of the data, classes in turn. */
  async samples(adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> {
    const { prompts } = this.classifier.job.sample;
    if (prompts.length > 0) return sorted(this.#head, prompts, this.length, adapted, tell);
    const some = spread(this.heldout.length > 0 ? this.heldout : this.examples, SHOWN);
    const rows = some.map((e) => this.#row(e));
    return sorted(
      this.#head,
      some.map((e) => cut(e.text, LONG)),
      this.length,
      adapted,
      tell,
      rows,
    );
  }
}
