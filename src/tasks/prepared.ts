/** @file What is alike in prepared data whose examples are a list: how many there are, their turns in a run, and walks through them. */
import { DataError } from './files.ts';
import { EpochOrder } from './order.ts';
import type {
  Adapted,
  PreparedTask,
  Samples,
  TaskEvaluation,
  TaskHost,
  TaskJob,
  Tell,
  Tensors,
  TrainedGraph,
} from './types.ts';

/** What is known of the data once they are read. `counts` only where an example of the run is none for people. */
export type Found = Pick<PreparedTask, 'problems' | 'preview' | 'dataHash'> &
  Partial<Pick<PreparedTask, 'counts'>>;

export abstract class PreparedExamples<E> implements PreparedTask {
  readonly problems: PreparedTask['problems'];
  readonly preview: PreparedTask['preview'];
  readonly dataHash: string;
  readonly counts: PreparedTask['counts'];
  readonly #train: TaskJob['train'];
  readonly #order: EpochOrder | null;

  constructor(
    readonly examples: readonly E[],
    readonly heldout: readonly E[],
    train: TaskJob['train'],
    found: Found,
  ) {
    ({ problems: this.problems, preview: this.preview, dataHash: this.dataHash } = found);
    this.counts = found.counts ?? { train: examples.length, heldout: heldout.length };
    this.#train = train;
    this.#order = examples.length > 0 ? new EpochOrder(train.seed, examples.length) : null;
  }

  abstract training(): TrainedGraph;
  abstract feeds(step: number, micro: number): Tensors | Promise<Tensors>;
  /** Of held-out data; there is one example at least. */
  protected abstract judge(adapted: Adapted, tell: Tell): Promise<TaskEvaluation>;
  abstract samples(adapted: Adapted, host: TaskHost, tell: Tell): Promise<Samples>;

  /** Nothing is made ahead. */
  warm(): Promise<void> {
    return Promise.resolve();
  }

  evaluate(adapted: Adapted, _: TaskHost, tell: Tell): Promise<TaskEvaluation> {
    if (this.heldout.length === 0) return Promise.resolve({ loss: null, metrics: [] });
    return this.judge(adapted, tell);
  }

  /**
   * The examples of a micro-batch, and the place in the run of its first.
   * @param noun "image"
   * @param place "folder": where such are chosen
   * @throws DataError if there are no examples
   */
  protected turn(
    step: number,
    micro: number,
    noun: string,
    place: string,
  ): { readonly first: number; readonly chosen: E[] } {
    const order = this.#order;
    if (!order) throw new DataError(`There is no ${noun} to train on. Choose a ${place} with some.`);
    const { batch, accumulate } = this.#train;
    const first = (step * accumulate + micro) * batch;
    return { first, chosen: Array.from({ length: batch }, (_, i) => this.examples[order.at(first + i)]!) };
  }
}

/** Examples in batches, the last as small as it comes out; tells of each when the next is asked for. */
export function* inBatches<E>(
  examples: readonly E[],
  size: number,
  tell: Tell,
): Generator<{ readonly start: number; readonly some: readonly E[] }> {
  for (let start = 0; start < examples.length; start += size) {
    yield { start, some: examples.slice(start, start + size) };
    tell(Math.min(start + size, examples.length), examples.length);
  }
}

/** Progress of a part of the work, told as that of the whole. */
export const partOf = (tell: Tell | undefined, from: number, total: number): Tell | undefined =>
  tell &&
  ((done) => {
    tell(from + done, total);
  });
