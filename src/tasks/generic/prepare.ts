/** @file Arrays and model together: batches in order, the held-out loss, a few answers as numbers. */
import { withCure } from '#src/platform/refusals.ts';
import type { DType } from '#src/onnx/model.ts';
import { sizeOf, type Tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { readArrays } from '#src/tasks/arrays/files.ts';
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import { converted, floatsOf } from '#src/tasks/arrays/numbers.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { EpochOrder, splitShare } from '#src/tasks/order.ts';
import type {
  Adapted,
  DataPreview,
  ModelFile,
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
import { type ArrayData, readArrayData } from './data.ts';
import type { GenericOptions } from './info.ts';
import { classAxis, ignoredLabel } from './losses.ts';
import { type ArrayProgram, arrayProgram, isWording } from './program.ts';

/** Rows (or batches) of some data, and which of them. */
interface Part {
  readonly data: ArrayData;
  readonly indices: readonly number[];
}

const isInteger = (type: DType): boolean => /^u?int\d+$|^bool$/.test(type);

/** Shape of a batch of each array. */
function batchShapes(data: ArrayData, batch: number): ReadonlyMap<string, readonly number[]> {
  return data.cut === 'examples'
    ? new Map([...data.shapes].map(([name, shape]) => [name, [batch, ...shape]]))
    : data.shapes;
}

/** All arrays of one batch: rows gathered, or the whole of it. */
async function batchArrays(data: ArrayData, rows: readonly number[]): Promise<ReadonlyMap<string, Tensor>> {
  if (data.cut === 'files') return readArrays(data.files, data.batches[rows[0]!]!);
  const out = new Map<string, Tensor>();
  for (const [name, { tensor }] of data.arrays) {
    const each = sizeOf(tensor.shape.slice(1));
    const row = (i: number): TypedArray => tensor.data.subarray(i * each, (i + 1) * each);
    if (data.cut === 'batches') {
      out.set(name, { ...tensor, shape: tensor.shape.slice(1), data: row(rows[0]!) });
      continue;
    }
    const values = new (tensor.data.constructor as new (n: number) => TypedArray)(each * rows.length);
    rows.forEach((r, i) => {
      values.set(row(r) as never, i * each);
    });
    out.set(name, { ...tensor, shape: [rows.length, ...tensor.shape.slice(1)], data: values });
  }
  return out;
}

/** Labels beyond the classes, and integers that are none. */
async function valueProblems(part: Part, program: ArrayProgram, options: GenericOptions, batch: number) {
  const problems: TaskProblem[] = [];
  const { data } = part;
  const wanted = [
    ...[...data.roles.inputs].map(
      ([input, array]) => [array, program.graph.inputs.find((v) => v.name === input)!.type] as const,
    ),
    ...(program.target && data.roles.target !== null
      ? [[data.roles.target, program.target.type] as const]
      : []),
  ];
  const labels = options.loss === 'cross_entropy' && program.target?.type === 'int32';
  const axis = labels ? classAxis(program.output.shape, program.target.shape) : -1;
  const classes = program.output.shape[axis] ?? 0;
  const seen = new Set<string>();
  const say = (name: string, path: string, message: string, cure: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    problems.push({
      severity: 'error',
      item: path,
      message: `${path}: the array "${name}" ${message}.`,
      cure,
    });
  };
  const check = (name: string, path: string, tensor: Tensor, type: DType): void => {
    if (converted(tensor, type) === null)
      say(name, path, `(${tensor.type}) does not fit the type ${type}`, `Save it as ${type}.`);
    if (name !== data.roles.target) return;
    if (options.loss === 'bce') {
      const outside = floatsOf(tensor).findIndex((x) => x < 0 || x > 1);
      if (outside >= 0)
        say(
          name,
          path,
          `has ${String(floatsOf(tensor)[outside])}, but the loss bce takes shares from 0 to 1`,
          'Scale the targets, or choose another loss.',
        );
    }
    if (!labels) return;
    const bad = floatsOf(tensor).findIndex((x) => x !== ignoredLabel && (x < 0 || x >= classes));
    if (bad >= 0)
      say(
        name,
        path,
        `has the label ${String(floatsOf(tensor)[bad])}, out of range: the model has the classes 0 to ${classes - 1}`,
        `Number the classes from 0 on; ${ignoredLabel} leaves an entry out.`,
      );
  };
  if (data.cut === 'files')
    for (const path of data.batches) {
      const arrays = await readArrays(data.files, path);
      for (const [name, type] of wanted) check(name, path, arrays.get(name)!, type);
    }
  else
    for (const [name, type] of wanted) {
      const source = data.arrays.get(name)!;
      check(name, source.path, source.tensor, type);
    }
  if (data.cut === 'examples' && data.count < batch)
    problems.push({
      severity: 'warning',
      item: data.files.name,
      message: `${data.files.name} has ${data.count} examples, fewer than a batch of ${batch}: rows come twice in a batch.`,
    });
  return problems;
}

/** Reads, checks and splits the arrays. Lists problems; throws nothing that the data can cause. */
export async function prepareArrays(
  file: ModelFile,
  job: TaskJob<GenericOptions>,
  train: FileSet,
  heldout: FileSet | null,
  tell?: Tell,
): Promise<PreparedTask> {
  const { options } = job;
  const problems: TaskProblem[] = [];
  const reading = { model: file.model, target: options.target, needed: options.loss !== 'model', tell };
  const data = await readArrayData(train, reading, problems);
  const other = heldout ? await readArrayData(heldout, reading, problems) : null;
  let program: ArrayProgram | null = null;
  const all = (d: ArrayData): number[] => Array.from({ length: d.count }, (_, i) => i);
  let training: Part | null = data && { data, indices: all(data) };
  let judged: Part | null = other && { data: other, indices: all(other) };
  if (data && training) {
    const shapes = batchShapes(data, job.train.batch);
    const tensor =
      data.cut === 'files'
        ? (await readArrays(train, data.batches[0]!)).get(data.roles.target ?? '')
        : data.arrays.get(data.roles.target ?? '')?.tensor;
    try {
      program = arrayProgram(file, data.roles, shapes, tensor ? isInteger(tensor.type) : false, options);
      problems.push(...(await valueProblems(training, program, options, job.train.batch)));
      if (program.own && job.train.accumulate > 1)
        problems.push({
          severity: 'warning',
          item: file.path,
          message: `The loss is the model's own, one number for a batch: the ${job.train.accumulate} batches of a step count alike. Where the model leaves positions out or weighs them, that is not the same as one batch of all.`,
          cure: 'Take the loss of another output, or take one batch in a step.',
        });
      if (other) {
        const same = batchShapes(other, job.train.batch);
        for (const [name, shape] of shapes)
          if (same.get(name)?.join() !== shape.join())
            problems.push({
              severity: 'error',
              item: heldout!.name,
              message: `The held-out array "${name}" gives batches of [${same.get(name)?.join() ?? 'none'}], training gives [${shape.join()}].`,
              cure: 'Give both arrays the same shape but for the first axis.',
            });
        if (judged) problems.push(...(await valueProblems(judged, program, options, 1)));
      }
    } catch (error) {
      if (!isWording(error)) throw error;
      problems.push({ severity: 'error', item: data.files.name, message: error.message, ...withCure(error) });
    }
    if (!heldout && job.data.split > 0) {
      const split = splitShare(all(data), job.data.split, job.train.seed);
      training = { data, indices: split.train };
      judged = { data, indices: split.heldout };
    }
  }
  const lines = data
    ? [
        options.order,
        data.cut,
        JSON.stringify([...data.roles.inputs, data.roles.target]),
        ...data.digests,
        (training?.indices ?? []).join(),
      ]
    : [];
  return new PreparedArrays(job, program, training, judged, problems, await sha256Lines(lines));
}

const LISTED = 6;
const SHOWN = 4;

/** A few numbers for people. */
const few = (values: ArrayLike<number | bigint>, from: number, count: number): string => {
  const shown = Array.from({ length: Math.min(LISTED, count) }, (_, i) =>
    String(Number(Number(values[from + i]).toPrecision(3))),
  );
  return `${shown.join('  ')}${count > LISTED ? ' …' : ''}`;
};

class PreparedArrays implements PreparedTask {
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
    let run = await adapted.run('judge', 'loss', () => graph);
    let [sum, weight, done] = [0, 0, 0];
    for (const { rows: filled, valid } of this.#batches(part)) {
      let rows = filled;
      const rest = program.own && valid < rows.length ? program.judgingRest(valid) : null;
      if (rest) {
        // The model's own loss is one number for the batch: what fills it up would count.
        rows = rows.slice(0, valid);
        graph = rest;
        run = await adapted.run('judge', `loss of ${valid}`, () => rest);
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
    const run = await adapted.run('answer', 'output', () => graph);
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
