/** @file What is alike in labelled data, whatever is classified: the classes, their weights, what a guess costs. */
import { type Found, PreparedExamples } from '#src/tasks/prepared.ts';
import type { TaskJob, Tensors } from '#src/tasks/types.ts';
import type { HeadChoice } from './classes.ts';
import { classWeights, targetFeeds } from './loss.ts';
import type { ClassOptions } from './options.ts';

export abstract class PreparedClasses<E extends { readonly label: number }> extends PreparedExamples<E> {
  readonly classes: readonly string[];
  readonly guess: number;
  readonly #options: ClassOptions;
  readonly #weights: Float64Array;

  constructor(
    readonly choice: HeadChoice,
    examples: readonly E[],
    heldout: readonly E[],
    { train, options }: TaskJob<ClassOptions>,
    found: Found,
  ) {
    super(examples, heldout, train, found);
    const { names } = choice;
    this.classes = names;
    this.guess = Math.log(names.length);
    this.#options = options;
    const labels = examples.map((e) => e.label);
    this.#weights = classWeights(labels, names.length, options.classWeights);
  }

  /** Feeds of the loss. @param inputs of the model, which may have their names */
  protected targets(chosen: readonly E[], inputs: readonly { readonly name: string }[]): Tensors {
    const labels = chosen.map((e) => e.label);
    return targetFeeds(labels, this.#weights, this.#options.labelSmoothing, inputs);
  }
}
