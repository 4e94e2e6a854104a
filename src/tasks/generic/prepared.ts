/** @file Arrays made ready: batches in order, the held-out loss, a few answers as numbers. */
import type { DType } from '#src/onnx/model.ts';
import { sizeOf, type TypedArray } from '#src/onnx/tensor.ts';
import { converted, floatsOf } from '#src/tasks/arrays/numbers.ts';
import { DataError } from '#src/tasks/files.ts';
import { EpochOrder } from '#src/tasks/order.ts';
import type {
  Adapted,
  DataPreview,
  PreparedTask,
  Samples,
  TaskEvaluation,
  TaskHost,
  TaskJob,
  TaskProblem,
  Tell,
  Tensors,
  TrainedGraph,
} from '#src/tasks/types.ts';
import type { GenericOptions } from './info.ts';
import { type ArrayProgram } from './program.ts';

import { batchArrays, type Part } from './batches.ts';
const LISTED = 6;
const SHOWN = 4;

/** A few numbers for people. */
const few = (values: ArrayLike<number | bigint>, from: number, count: number): string => {
  const shown = Array.from({ length: Math.min(LISTED, count) }, (_, i) =>
    String(Number(Number(values[from + i]).toPrecision(3))),
  );
  return `${shown.join('  ')}${count > LISTED ? ' …' : ''}`;
};

export class PreparedArrays implements PreparedTask {
  readonly #order: EpochOrder | null;
  constructor(
    readonly job: TaskJob<GenericOptions>,
    readonly program: ArrayProgram | null,
    readonly train: Part | null,
    readonly heldout: Part | null,
    readonly problems: readonly TaskProblem[],
    readonly dataHash: string,
  ) {
    const shuffled = job.options.order === 'shuffled' && train !== null && train.indices.length > 0;
    this.#order = shuffled ? new EpochOrder(job.train.seed, train.indices.length) : null;
  }

  get guess(): number | null {
    return this.program?.guess ?? null;
  }

  get counts() {
    return { train: this.train?.indices.length ?? 0, heldout: this.heldout?.indices.length ?? 0 };
  }

  get preview(): DataPreview {
    const { train } = this;
    if (!train) return { facts: [], items: [] };
    const { data } = train;
    const unit = data.cut === 'examples' ? 'examples' : 'batches';
    const arrays = [...data.shapes].map(([name, shape]) => `${name} [${shape.join()}]`);
    const source = [...data.arrays][0];
    const each = source ? sizeOf(data.shapes.get(source[0])!) : 0;
    return {
      facts: [
        { label: 'Data', value: `${this.counts.train} ${unit} to train, ${this.counts.heldout} held out` },
        {
          label: data.cut === 'examples' ? 'Arrays of an example' : 'Arrays of a batch',
          value: arrays.join(', '),
        },
        ...(this.program?.scores ? [{ label: 'The loss takes', value: this.program.scores }] : []),
      ],
      items: source
        ? train.indices.slice(0, SHOWN).map((i) => ({
            name: `${source[0]} ${i}`,
            text: few(floatsOf(source[1].tensor), i * each, each),
          }))
        : [],
    };
  }

  #ready(): { readonly program: ArrayProgram; readonly train: Part } {
    if (this.program && this.train) return { program: this.program, train: this.train };
    throw new DataError(
      this.problems[0]?.message ??
        'There are no arrays to train on. Choose the file or folder that holds them.',
    );
  }

  training(): TrainedGraph {
    return this.#ready().program.trained;
  }

  warm(): Promise<void> {
    return Promise.resolve();
  }

  /** Feeds of given rows (one number: of a batch). */
  async #feed(part: Part, rows: readonly number[], withTarget: boolean): Promise<Tensors> {
    const { program } = this.#ready();
    const arrays = await batchArrays(part.data, rows);
    const feeds: Record<string, TypedArray> = {};
    const put = (feed: string, type: DType, array: string): void => {
      const values = converted(arrays.get(array)!, type);
      if (!values)
        throw new DataError(`The array "${array}" does not fit the type ${type}. Save it in that type.`);
      feeds[feed] = values;
    };
    const { roles } = part.data;
    for (const input of program.graph.inputs) put(input.name, input.type, roles.inputs.get(input.name)!);
    if (withTarget && program.target) put(program.target.name, program.target.type, roles.target!);
    return feeds;
  }

  feeds(step: number, micro: number): Promise<Tensors> {
    const { train } = this.#ready();
    const { batch, accumulate } = this.job.train;
    const turn = step * accumulate + micro;
    const size = train.data.cut === 'examples' ? batch : 1;
    const rows = Array.from({ length: size }, (_, i) => {
      const place = turn * size + i;
      return train.indices[this.#order ? this.#order.at(place) : place % train.indices.length]!;
    });
    return this.#feed(train, rows, true);
  }

  /** Batches over a part; the last is filled up with its first rows, `valid` says how many count. */
  *#batches(part: Part): Generator<{ rows: number[]; valid: number }> {
    const size = part.data.cut === 'examples' ? this.job.train.batch : 1;
    for (let start = 0; start < part.indices.length; start += size) {
      const valid = Math.min(size, part.indices.length - start);
      yield {
        rows: Array.from({ length: size }, (_, i) => part.indices[start + (i % valid)]!),
        valid: part.data.cut === 'examples' ? valid : Infinity,
      };
    }
  }

  async evaluate(adapted: Adapted, _: TaskHost, tell: Tell): Promise<TaskEvaluation> {
    const part = this.heldout;
    if (!part || part.indices.length === 0) return { loss: null, metrics: [] };
    const { program } = this.#ready();
    let graph = program.judging();
    let run = await adapted.run('judge', graph);
    let [sum, weight, done] = [0, 0, 0];
    for (const { rows: filled, valid } of this.#batches(part)) {
      let rows = filled;
      const rest = program.own && valid < rows.length ? program.judgingRest(valid) : null;
      if (rest) {
        // The model's own loss is one number for the batch: what fills it up would count.
        rows = rows.slice(0, valid);
        graph = rest;
        run = await adapted.run('judge', rest);
      }
      const out = await run(await this.#feed(part, rows, true));
      const [sums, weights] = graph.outputs.map((o) => out[o.name] as Float32Array);
      if (program.own) {
        // One number for the batch: it stands for as many examples as are in it.
        const share = Number.isFinite(valid) ? valid : 1;
        sum += share * sums![0]!;
        weight += share;
      } else
        for (let i = 0; i < Math.min(valid, sums!.length); i++) {
          sum += sums![i]!;
          weight += weights ? weights[i]! : 1;
        }
      done = Math.min(part.indices.length, done + rows.length);
      tell(done, part.indices.length);
    }
    // Where every label is left out there is nothing to judge.
    return { loss: weight > 0 ? sum / weight : null, metrics: [] };
  }

  async samples(adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> {
    const { program, train } = this.#ready();
    const part = this.heldout && this.heldout.indices.length > 0 ? this.heldout : train;
    const { output } = program;
    const graph = { ...program.graph, outputs: [output] };
    const run = await adapted.run('answer', graph);
    const [first] = this.#batches(part);
    const out = (await run(await this.#feed(part, first!.rows, false)))[output.name]!;
    tell(1, 1);
    const rows = output.shape.length > 0 ? Math.min(SHOWN, output.shape[0]!, first!.valid) : 1;
    const each = out.length / Math.max(1, output.shape[0] ?? 1);
    return {
      prompts: Array.from({ length: rows }, (_, i) =>
        part.data.cut === 'examples' ? `example ${first!.rows[i]!}` : `batch ${first!.rows[0]!}, row ${i}`,
      ),
      pictures: [],
      texts: Array.from({ length: rows }, (_, i) => few(out as Float32Array, i * each, each)),
    };
  }
}
