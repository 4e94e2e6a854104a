/** @file The classifier of texts with its head: graphs at a batch and a length. */
import type { Graph } from '#src/graph/types.ts';
import { type Scored, OpenedClassifier } from '#src/tasks/classification/classifier.ts';
import { bindModel, withOutput } from '#src/tasks/generic/model.ts';
import { tableOf } from '#src/tasks/picked.ts';
import { readTextInputs, type TextInputs } from '#src/tasks/text/inputs.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { ModelFile, TaskJob, TrainedGraph } from '#src/tasks/types.ts';
import type { TextClassOptions } from './info.ts';

/** Throws ModelError for inputs that no classifier of texts has. */
export const classifierInputs = (file: Pick<ModelFile, 'path' | 'model'>): TextInputs =>
  readTextInputs(
    file,
    ['ids', 'mask', 'positions', 'types'],
    'a classifier of texts takes input_ids, attention_mask, token_type_ids and position_ids. Train it with the task "generic", or export it as text-classification.',
  );

/** An opened classifier. */
export class TextClassifier extends OpenedClassifier<TextClassOptions> {
  constructor(
    file: ModelFile,
    job: TaskJob<TextClassOptions>,
    readonly inputs: TextInputs,
    readonly tokens: TextTokens,
    names: readonly string[] | null,
    added = false,
  ) {
    super(file, job, names, added);
  }

  /** The same with a last layer of its own, where the file gives embeddings. */
  withHead(): TextClassifier {
    const { inputs, tokens } = this;
    const mask = [...inputs.roles].find(([, role]) => role === 'mask')?.[0] ?? null;
    const own = this.headed({ mask });
    return own ? new TextClassifier(own.file, own.job, inputs, tokens, null, true) : this;
  }

  #bound(batch: number, length: number): Graph {
    const shapes = new Map(this.file.model.graph.inputs.map(({ name }) => [name, [batch, length]] as const));
    return withOutput(bindModel(this.file, shapes), this.job.options.output, this.file.path);
  }

  /** At one short text. */
  protected least(): Graph {
    return this.#bound(this.inputs.batch ?? 1, this.inputs.length ?? 8);
  }

  /** @param classes of a new head; null: the model's own head */
  graph(batch: number, length: number, classes: number | null): Scored {
    return this.scored(this.#bound(batch, length), classes);
  }

  training(batch: number, length: number, classes: number | null): TrainedGraph {
    return this.trained(this.graph(batch, length, classes));
  }

  /** Words that the model knows: rows of the table that its tokens pick from; null: no telling. */
  words(): number | null {
    return tableOf(this.small().graph, this.inputs.ids)?.rows ?? null;
  }
}
