/** @file Images and classifier together: what is fed, how it is judged, what the wall shows. */
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import { classFacts, classReport } from '#src/tasks/classification/report.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { drawChange } from '#src/tasks/images/augment.ts';
import { collectImages } from '#src/tasks/images/collect.ts';
import { describePreprocess, optionProblems } from '#src/tasks/images/describe.ts';
import { sideProblems } from '#src/tasks/images/sides.ts';
import { type Found, inBatches, partOf } from '#src/tasks/prepared.ts';
import { nothingLeft } from '#src/tasks/problems.ts';
import { type Frame, ImageStore, pictureOf } from '#src/tasks/images/store.ts';
import { pixelBatch } from './pixelBatch.ts';
import type { Change } from '#src/tasks/images/augment.ts';
import type {
  Adapted,
  DataPreview,
  PreparedTask,
  RunGraph,
  Samples,
  TaskEvaluation,
  TaskHost,
  TaskProblem,
  Tell,
  Tensors,
} from '#src/tasks/types.ts';
import { badNumbers, type HeadChoice } from '#src/tasks/classification/classes.ts';
import { classesOf, classProblems, type Labelled, strangeClasses } from '#src/tasks/classification/labels.ts';
import { readLabelled } from './data.ts';
import { judge, type Judgement, accuracies, percent } from '#src/tasks/classification/metrics.ts';
import { splitByClass, spread } from '#src/tasks/classification/choose.ts';
import { PreparedClasses } from '#src/tasks/classification/prepared.ts';
import type { Scale } from '#src/tasks/scores/scores.ts';
import type { Classifier } from './classifier.ts';

/** One image with the index of its class. */
interface Example {
  readonly path: string;
  readonly label: number;
  readonly store: ImageStore;
  readonly hash: string;
}

const SHOWN = 8;
/** Longest side of pictures on the wall. */
const SMALL = 96;

/** Reads and checks the data. Lists problems; throws only what the model itself lacks. */
export async function prepareImages(
  classifier: Classifier,
  train: FileSet,
  heldout: FileSet | null,
  host: TaskHost,
  tell?: Tell,
): Promise<PreparedTask> {
  const { job, preprocess, input, file } = classifier;
  const problems: TaskProblem[] = optionProblems(file.path, job.options, input, preprocess);
  const read = async (files: FileSet, labelled: readonly Labelled[], from: number, total: number) => {
    const store = new ImageStore(files, host, preprocess.frame);
    const found = await collectImages(
      store,
      labelled.map((l) => l.path),
      partOf(tell, from, total),
    );
    problems.push(...found.problems);
    return labelled.flatMap((l) => {
      const image = found.images.get(l.path);
      return image ? [{ ...l, store, hash: image.hash }] : [];
    });
  };
  const own = await readLabelled(train, tell);
  const other = heldout ? await readLabelled(heldout, tell) : null;
  problems.push(
    ...own.problems,
    ...(other?.problems ?? []),
    ...classProblems(own.images, train.name, 'images'),
  );
  const held = other?.images ?? own.heldout ?? [];
  const heldFiles = other ? heldout! : train;
  const total = own.images.length + held.length;
  const images = await read(train, own.images, 0, total);
  const heldImages = await read(heldFiles, held, own.images.length, total);
  const labels = classesOf(own.images);
  problems.push(...badNumbers(labels));
  const told = labels.map((label) => ({ item: label, text: label }));
  problems.push(...sideProblems(job.data.flip, told, 'class names'));
  const choice = classifier.choose(labels);
  if (labels.length > 0) problems.push(...choice.problems);

  problems.push(...strangeClasses(held, new Set(choice.indexOf.keys()), 'images'));
  const example = ({ path, label, store, hash }: (typeof images)[number]): Example[] => {
    const index = choice.indexOf.get(label);
    return index === undefined ? [] : [{ path, label: index, store, hash }];
  };
  let training = images.flatMap(example);
  let judged = heldImages.flatMap(example);
  if (held.length === 0 && job.data.split > 0) {
    ({ train: training, heldout: judged } = splitByClass(training, job.data.split, job.train.seed));
  }
  problems.push(
    ...nothingLeft(
      training,
      problems,
      train.name,
      'no image to train on.',
      'Add images, or hold fewer of them out.',
    ),
  );
  const lines = training.map((e) => `${e.hash} ${e.label}`);
  const seen = JSON.stringify([preprocess, classifier.input.order, choice.kind, choice.names]);
  return new PreparedImages(classifier, choice, training, judged, {
    problems,
    dataHash: await sha256Lines([seen, ...lines]),
    preview: await previewOf(
      training,
      judged,
      choice,
      classifier.scores(),
      describePreprocess(preprocess, input),
    ),
  });
}

/** Figures by class and the first images of each. */
async function previewOf(
  training: readonly Example[],
  judged: readonly Example[],
  choice: HeadChoice,
  scores: string,
  seen: string,
): Promise<DataPreview> {
  const shown = spread(training, SHOWN);
  return {
    facts: [
      { label: 'Images', value: `${training.length} to train, ${judged.length} held out` },
      { label: 'As the model sees them', value: seen },
      ...classFacts(training, choice, scores),
    ],
    items: await Promise.all(
      shown.map(async (e) => ({
        name: e.path,
        picture: pictureOf(await e.store.get(e.path), SMALL),
        text: choice.names[e.label] ?? String(e.label),
      })),
    ),
  };
}

class PreparedImages extends PreparedClasses<Example> {
  #judging: ReturnType<Classifier['graph']> | undefined;

  constructor(
    readonly classifier: Classifier,
    choice: HeadChoice,
    examples: readonly Example[],
    heldout: readonly Example[],
    found: Found,
  ) {
    super(choice, examples, heldout, classifier.job, found);
  }

  training() {
    return this.classifier.training(this.choice);
  }

  async #pixels(examples: readonly Example[], batch: number, change?: (place: number) => Change) {
    const frames: Frame[] = [];
    for (const { store, path } of examples) frames.push(await store.get(path));
    return pixelBatch(this.classifier, frames, batch, change);
  }

  async feeds(step: number, micro: number): Promise<Tensors> {
    const { job, preprocess, input } = this.classifier;
    const { batch, seed } = job.train;
    const { crop, colour } = job.options;
    const { chosen, first } = this.turn(step, micro, 'image', 'folder');
    const options = { seed, flip: job.data.flip, crop, colour };
    const pixels = await this.#pixels(chosen, batch, (i) => drawChange(options, preprocess.frame, first + i));
    return { [input.name]: pixels, ...this.targets(chosen, [input]) };
  }

  /** Scores of every example, in batches of the training's size. */
  async #scores(
    examples: readonly Example[],
    adapted: Adapted,
    tell: Tell,
    each: (example: Example, scores: Float32Array, scale: Scale) => void,
  ): Promise<void> {
    const { job, input } = this.classifier;
    const { batch } = job.train;
    const { graph, logits, scale } = (this.#judging ??= this.classifier.graph(batch, this.choice));
    const run: RunGraph = await adapted.run('classify', graph);
    const classes = this.choice.names.length;
    for (const { some } of inBatches(examples, batch, tell)) {
      const out = await run({ [input.name]: await this.#pixels(some, batch) });
      const all = out[logits.name] as Float32Array;
      some.forEach((example, i) => {
        each(example, all.subarray(i * classes, (i + 1) * classes), scale);
      });
    }
  }

  protected async judge(adapted: Adapted, tell: Tell): Promise<TaskEvaluation> {
    const judgements: Judgement[] = [];
    await this.#scores(this.heldout, adapted, tell, ({ path, label }, scores, scale) => {
      judgements.push(judge(path, label, scores, scale));
    });
    return classReport(judgements, this.choice.names, 'image', accuracies(judgements));
  }

  async samples(adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> {
    const shown = spread(this.heldout.length > 0 ? this.heldout : this.examples, SHOWN);
    const texts: string[] = [];
    await this.#scores(shown, adapted, tell, ({ path, label }, scores) => {
      const { got, share } = judge(path, label, scores);
      texts.push(`${this.choice.names[got] ?? got} ${percent(share)}`);
    });
    const pictures = [];
    for (const e of shown) pictures.push(pictureOf(await e.store.get(e.path), SMALL));
    return { prompts: shown.map((e) => e.path), pictures, texts };
  }
}
