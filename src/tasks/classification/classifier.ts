/** @file What is alike in opened classifiers, whatever they classify: their head, and the graphs that end in it. */
import type { Graph, Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { layersOf } from '#src/tasks/generic/model.ts';
import type { ModelFile, TaskJob, TrainedGraph } from '#src/tasks/types.ts';
import { addedHead, chooseHead, type HeadChoice } from './classes.ts';
import { embeddingOf, isAddedHead, type Pooling, withEmbeddingHead } from './embedding.ts';
import { type Logits, logitsOf, replaceHead } from './head.ts';
import { classLoss } from './loss.ts';
import type { ClassOptions } from './options.ts';

/** A graph whose one output is the logits. */
export interface Scored {
  readonly graph: Graph;
  /** [B, C], or with axes of 1 behind. */
  readonly logits: Value;
  readonly scale: Logits['scale'];
  /** Constants of a new head. */
  readonly whole: readonly string[];
}

export abstract class OpenedClassifier<O extends ClassOptions> {
  constructor(
    readonly file: ModelFile,
    readonly job: TaskJob<O>,
    /** Names of the model's own classes; null: not known. */
    readonly names: readonly string[] | null,
    /** The last layer is none of the file's: it was put on top of its embeddings. */
    readonly added: boolean,
  ) {}

  /** The file as it is, at the least sizes or those that it insists on. */
  protected abstract least(): Graph;

  /** File and job with a last layer of its own, where the file gives embeddings; null: it has one. */
  protected headed(pooling: Pooling): { readonly file: ModelFile; readonly job: TaskJob<O> } | null {
    const { file, job, names } = this;
    const embedding = embeddingOf(this.least(), job.options.head, names);
    if (!embedding) return null;
    const options = { ...job.options, output: '' };
    return { file: withEmbeddingHead(file, embedding, pooling), job: { ...job, options } };
  }

  /** The model's own head at the least sizes. */
  protected small(): Logits {
    return logitsOf(this.least());
  }

  /** @param classes of a new head; null: the model's own head */
  protected scored(bound: Graph, classes: number | null): Scored {
    const own = logitsOf(bound);
    const { graph, value, scale, whole } =
      classes === null ? { ...own, whole: [] } : replaceHead(own, classes, this.job.train.seed);
    return { graph, logits: value, scale, whole };
  }

  /** What is trained of it; a new head as a whole, without a rotation. */
  protected trained({ graph, logits, scale, whole }: Scored): TrainedGraph {
    const layers = findLayers(graph).filter(
      ({ initializer, made }) => ![initializer, ...(made?.stored ?? [])].some((name) => whole.includes(name)),
    );
    return { graph, layers, whole, loss: (g, outputs) => classLoss(g, outputs.get(logits.name)!, scale) };
  }

  choose(labels: readonly string[]): HeadChoice {
    if (this.added) return addedHead(labels);
    return chooseHead(labels, this.small().classes, this.names, this.job.options.head);
  }

  /** Of the model's own head, by index. */
  classNames(): readonly string[] {
    const { classes } = this.small();
    return this.names?.length === classes
      ? this.names
      : Array.from({ length: classes }, (_, i) => `class ${i}`);
  }

  /** What was found at the model's end. */
  scores(): string {
    return this.small().words;
  }

  /** All layers, the file's own last one among them. */
  layers() {
    return layersOf(this.small().graph, this.file).filter(({ initializer }) => !isAddedHead(initializer));
  }
}
