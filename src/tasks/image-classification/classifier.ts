/** @file The classifier of images with its head: graphs at a batch. */
import type { Graph } from '#src/graph/types.ts';
import { type Scored, OpenedClassifier } from '#src/tasks/classification/classifier.ts';
import type { HeadChoice } from '#src/tasks/classification/classes.ts';
import { withOutput } from '#src/tasks/generic/model.ts';
import { bindPictures, type PictureInput } from '#src/tasks/images/pictureInput.ts';
import type { Preprocess } from '#src/tasks/images/preprocess.ts';
import type { ModelFile, TaskJob, TrainedGraph } from '#src/tasks/types.ts';
import type { ClassificationOptions } from './info.ts';

/** An opened classifier. */
export class Classifier extends OpenedClassifier<ClassificationOptions> {
  constructor(
    file: ModelFile,
    job: TaskJob<ClassificationOptions>,
    readonly input: PictureInput,
    readonly preprocess: Preprocess,
    names: readonly string[] | null,
    added = false,
  ) {
    super(file, job, names, added);
  }

  /** The same with a last layer of its own, where the file gives embeddings. */
  withHead(): Classifier {
    const { input, preprocess } = this;
    const own = this.headed({ mask: null, channelsLast: input.order === 'NHWC' });
    return own ? new Classifier(own.file, own.job, input, preprocess, null, true) : this;
  }

  #bound(batch: number): Graph {
    const graph = bindPictures(this.file, this.input, batch, this.preprocess);
    return withOutput(graph, this.job.options.output, this.file.path);
  }

  protected least(): Graph {
    return this.#bound(this.input.batch ?? 1);
  }

  graph(batch: number, choice: Pick<HeadChoice, 'kind' | 'names'>): Scored {
    return this.scored(this.#bound(batch), choice.kind === 'keep' ? null : choice.names.length);
  }

  training(choice: HeadChoice): TrainedGraph {
    return this.trained(this.graph(this.job.train.batch, choice));
  }
}
