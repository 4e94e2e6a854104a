/** @file The classifier of texts with its head: graphs at a batch and a length. */
import type { Graph, Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { addedHead, chooseHead, type HeadChoice } from '#src/tasks/classification/classes.ts';
import { embeddingOf, isAddedHead, withEmbeddingHead } from '#src/tasks/classification/embedding.ts';
import { type Logits, logitsOf, replaceHead } from '#src/tasks/classification/head.ts';
import { classLoss } from '#src/tasks/classification/loss.ts';
import { bindModel, layersOf, withOutput } from '#src/tasks/generic/model.ts';
import { readTextInputs, type TextInputs } from '#src/tasks/text/inputs.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { ModelFile, TaskJob, TrainedGraph } from '#src/tasks/types.ts';
import type { TextClassOptions } from './info.ts';

/** Throws ModelError for inputs that no classifier of texts has. */
export const classifierInputs = (file: ModelFile): TextInputs =>
  readTextInputs(
    file,
    ['ids', 'mask', 'positions', 'types'],
    'a classifier of texts takes input_ids, attention_mask, token_type_ids and position_ids. Train it with the task "generic", or export it as text-classification.',
  );

export interface Scored {
  readonly graph: Graph;
  /** [B, C]. */
  readonly logits: Value;
  readonly scale: Logits['scale'];
  /** Constants of a new head. */
  readonly whole: readonly string[];
}

/** An opened classifier. */
export class TextClassifier {
  constructor(
    readonly file: ModelFile,
    readonly job: TaskJob<TextClassOptions>,
    readonly inputs: TextInputs,
    readonly tokens: TextTokens,
    /** Names of the model's own classes; null: not known. */
    readonly names: readonly string[] | null,
    /** The last layer is none of the file's: it was put on top of its embeddings. */
    readonly added = false,
  ) {}

  /** The same with a last layer of its own, where the file gives embeddings. */
  withHead(): TextClassifier {
    const { file, job, inputs, tokens, names } = this;
    const embedding = embeddingOf(this.#bound(...this.#least()), job.options.head, names);
    if (!embedding) return this;
    const mask = [...inputs.roles].find(([, role]) => role === 'mask')?.[0] ?? null;
    const headed = withEmbeddingHead(file, embedding, { mask });
    const own = { ...job, options: { ...job.options, output: '' } };
    return new TextClassifier(headed, own, inputs, tokens, null, true);
  }

  #bound(batch: number, length: number): Graph {
    const shapes = new Map(this.file.model.graph.inputs.map(({ name }) => [name, [batch, length]] as const));
    return withOutput(bindModel(this.file, shapes), this.job.options.output, this.file.path);
  }

  #own(batch: number, length: number) {
    return logitsOf(this.#bound(batch, length));
  }

  #least(): [batch: number, length: number] {
    return [this.inputs.batch ?? 1, this.inputs.length ?? 8];
  }

  /** The file as it is, at one short text or at the sizes that it insists on. */
  #small() {
    return this.#own(...this.#least());
  }

  choose(labels: readonly string[]): HeadChoice {
    if (this.added) return addedHead(labels);
    return chooseHead(labels, this.#small().classes, this.names, this.job.options.head);
  }

  /** Of the model's own head, by index. */
  classNames(): readonly string[] {
    const { classes } = this.#small();
    return this.names?.length === classes
      ? this.names
      : Array.from({ length: classes }, (_, i) => `class ${i}`);
  }

  /** @param classes of a new head; null: the model's own head */
  graph(batch: number, length: number, classes: number | null): Scored {
    const own = this.#own(batch, length);
    const { value, whole, ...rest } =
      classes === null ? { ...own, whole: [] } : replaceHead(own, classes, this.job.train.seed);
    return { ...rest, logits: value, whole };
  }

  /** What was found at the model's end. */
  scores(): string {
    return this.#small().words;
  }

  /** All layers, the file's own last one among them. */
  layers() {
    return layersOf(this.#small().graph, this.file).filter(({ initializer }) => !isAddedHead(initializer));
  }

  training(batch: number, length: number, classes: number | null): TrainedGraph {
    const { graph, logits, scale, whole } = this.graph(batch, length, classes);
    const layers = findLayers(graph).filter(
      ({ initializer, made }) => ![initializer, ...(made?.stored ?? [])].some((name) => whole.includes(name)),
    );
    return { graph, layers, whole, loss: (g, outputs) => classLoss(g, outputs.get(logits.name)!, scale) };
  }

  /** Words that the model knows: rows of the table that its tokens pick from; null: no telling. */
  words(): number | null {
    const { graph } = this.#small();
    const behind = new Set([this.inputs.ids]);
    for (const node of graph.nodes) {
      if (['Cast', 'Identity'].includes(node.op) && behind.has(node.inputs[0]!)) behind.add(node.outputs[0]!);
      if (node.op !== 'Gather' || !behind.has(node.inputs[1]!)) continue;
      const table = graph.constants.get(node.inputs[0]!);
      if (table?.shape.length === 2) return table.shape[0]!;
    }
    return null;
  }
}
