/** @file What the model makes of arrays that a person gives it: every output, row by row as in the file. */
import { PlainError } from '#src/platform/refusals.ts';
import { sizeOf, type Tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { converted } from '#src/tasks/arrays/numbers.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { inBatches } from '#src/tasks/prepared.ts';
import type { Adapted, Answers, ModelFile, TaskProblem, Tell } from '#src/tasks/types.ts';
import { batchArrays, batchShapes } from './batches.ts';
import { readArrayData } from './data.ts';
import { bindModel, withOutput } from './model.ts';

/** Rows of one answer, in the order that they come. */
class Rows {
  readonly #parts: TypedArray[] = [];
  #count = 0;

  /** @param shape of one row */
  constructor(
    readonly type: Tensor['type'],
    readonly shape: readonly number[],
  ) {}

  add(values: TypedArray, rows: number): void {
    this.#parts.push(values.slice(0, rows * sizeOf(this.shape)));
    this.#count += rows;
  }

  get tensor(): Tensor {
    const make = this.#parts[0]!.constructor as new (n: number) => TypedArray;
    const data = new make(this.#count * sizeOf(this.shape));
    let at = 0;
    for (const part of this.#parts) {
      data.set(part as never, at);
      at += part.length;
    }
    return { type: this.type, shape: [this.#count, ...this.shape], data };
  }
}

/**
 * @param batch rows at a time; the last batch is filled up with its first row
 * @param output the one that is wanted; '': all
 * @throws DataError or ModelError in words: what does not fit the model
 */
export async function askArrays(
  file: ModelFile,
  files: FileSet | null,
  { batch, output }: { readonly batch: number; readonly output: string },
  adapted: Adapted,
  tell: Tell,
): Promise<Answers> {
  if (!files) throw new DataError('No arrays were given. Choose .safetensors, .npz or .npy files.');
  const problems: TaskProblem[] = [];
  const data = await readArrayData(files, { model: file.model, target: '', needed: false }, problems);
  const [wrong] = problems.filter(({ severity }) => severity === 'error');
  if (wrong) throw new PlainError(wrong.message, { cure: wrong.cure });
  if (!data) throw new DataError(`${files.name} has no array that the model takes. Choose another file.`);
  const shapes = batchShapes(data, batch);
  const fed = new Map([...data.roles.inputs].map(([input, array]) => [input, shapes.get(array)!]));
  const graph = withOutput(bindModel(file, fed), output, file.path);
  const run = await adapted.run('ask', graph);
  const byRow = data.cut === 'examples';
  const all = new Map(
    graph.outputs.map(({ name, type, shape }) => [
      name,
      new Rows(type, byRow && shape[0] === batch ? shape.slice(1) : shape),
    ]),
  );
  const rows = Array.from({ length: data.count }, (_, i) => i);
  for (const { some } of inBatches(rows, byRow ? batch : 1, tell)) {
    const filled = byRow ? Array.from({ length: batch }, (_, i) => some[i] ?? some[0]!) : some;
    const arrays = await batchArrays(data, filled);
    const feeds: Record<string, TypedArray> = {};
    for (const { name, type } of graph.inputs) {
      const values = converted(arrays.get(data.roles.inputs.get(name)!)!, type);
      if (!values)
        throw new DataError(`The array for ${name} does not fit the type ${type}. Save it as ${type}.`);
      feeds[name] = values;
    }
    const out = await run(feeds);
    for (const { name, shape } of graph.outputs)
      all.get(name)!.add(out[name]!, byRow && shape[0] === batch ? some.length : 1);
  }
  return { items: [], arrays: new Map([...all].map(([name, made]) => [name, made.tensor])) };
}
