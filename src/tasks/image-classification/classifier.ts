/** @file The classifier of images with its head: graphs at a batch. */
import type { Graph, Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { layersOf, withOutput } from '#src/tasks/generic/model.ts';
import type { Preprocess } from '#src/tasks/images/preprocess.ts';
import type { ModelFile, TaskJob, TrainedGraph } from '#src/tasks/types.ts';
import { addedHead, chooseHead, type HeadChoice } from '#src/tasks/classification/classes.ts';
import { embeddingOf, isAddedHead, withEmbeddingHead } from '#src/tasks/classification/embedding.ts';
import { logitsOf, replaceHead } from '#src/tasks/classification/head.ts';
import { classLoss } from '#src/tasks/classification/loss.ts';
import type { Scale } from '#src/tasks/scores/scores.ts';
import type { ClassificationOptions } from './info.ts';
import { bindPictures, type PictureInput } from '#src/tasks/images/pictureInput.ts';

/** An opened classifier. */
export class Classifier {
  constructor(
    readonly file: ModelFile,
    readonly job: TaskJob<ClassificationOptions>,
    readonly input: PictureInput,
    readonly preprocess: Preprocess,
    /** Names of the model's own classes; null: not known. */
    readonly names: readonly string[] | null,
    /** The last layer is none of the file's: it was put on top of its embeddings. */
    readonly added = false,
  ) {}

  /** The same with a last layer of its own, where the file gives embeddings. */
  withHead(): Classifier {
    const { file, job, input, preprocess, names } = this;
    const embedding = embeddingOf(this.#bound(input.batch ?? 1), job.options.head, names);
    if (!embedding) return this;
    const headed = withEmbeddingHead(file, embedding, { mask: null, channelsLast: input.order === 'NHWC' });
    const own = { ...job, options: { ...job.options, output: '' } };
    return new Classifier(headed, own, input, preprocess, null, true);
  }

  #bound(batch: number): Graph {
    const graph = bindPictures(this.file, this.input, batch, this.preprocess);
    return withOutput(graph, this.job.options.output, this.file.path);
  }

  #graph(batch: number) {
    return logitsOf(this.#bound(batch));
  }

  /** The file as it is, at one picture or at the batch that it insists on. */
  #one() {
    return this.#graph(this.input.batch ?? 1);
  }

  choose(labels: readonly string[]): HeadChoice {
    if (this.added) return addedHead(labels);
    return chooseHead(labels, this.#one().classes, this.names, this.job.options.head);
  }

  /** The graph whose one output is the logits [B, C, …]. */
  graph(
    batch: number,
    choice: HeadChoice,
  ): {
    readonly graph: Graph;
    readonly logits: Value;
    readonly scale: Scale;
    readonly whole: readonly string[];
  } {
    const own = this.#graph(batch);
    const { value, whole, ...rest } =
      choice.kind === 'keep'
        ? { ...own, whole: [] }
        : replaceHead(own, choice.names.length, this.job.train.seed);
    return { ...rest, logits: value, whole };
  }

  /** What was found at the model's end. */
  scores(): string {
    return this.#one().words;
  }

  /** All layers, the file's own last one among them. */
  layers() {
    return layersOf(this.#one().graph, this.file).filter(({ initializer }) => !isAddedHead(initializer));
  }

  training(choice: HeadChoice): TrainedGraph {
    const { graph, logits, scale, whole } = this.graph(this.job.train.batch, choice);
    const layers = findLayers(graph).filter(
      ({ initializer, made }) => ![initializer, ...(made?.stored ?? [])].some((name) => whole.includes(name)),
    );
    return { graph, layers, whole, loss: (g, outputs) => classLoss(g, outputs.get(logits.name)!, scale) };
  }
}
