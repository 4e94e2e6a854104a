/** @file Binds the symbolic dimensions of a model's inputs to sizes. */
import type { GivenInput, Model, ModelValue } from '#src/onnx/model.ts';
import { sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { evaluateDim, namesIn } from './dims.ts';
import { GraphError, type Shape, type Value } from './types.ts';

/** A dimension that needs a size before the model can be used, and the inputs that have it. */
export interface SymbolicDim {
  /** The name to bind: the file's, or `input.axis` for a dimension without one. */
  readonly name: string;
  readonly inputs: readonly string[];
}

/** Every name that {@link bindInputs} wants a size for, in order of appearance. Output dimensions follow from them. */
export function listDims(model: Model): SymbolicDim[] {
  const found = new Map<string, Set<string>>();
  for (const input of model.graph.inputs)
    input.shape?.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      for (const name of dim === null ? [`${input.name}.${axis}`] : namesIn(dim)) {
        const users = found.get(name);
        if (users) users.add(input.name);
        else found.set(name, new Set([input.name]));
      }
    });
  return [...found].map(([name, inputs]) => ({ name, inputs: [...inputs] }));
}

/**
 * The model's inputs with static shapes.
 * @param dims size by name; `input.axis` binds one dimension of one input, whether it has a name or not.
 * @throws GraphError that lists every dimension left unbound.
 */
export function bindInputs(model: Model, dims: Readonly<Record<string, number>>): Value[] {
  const sizes = new Map(Object.entries(dims));
  for (const [name, size] of sizes)
    if (!Number.isSafeInteger(size) || size < 0)
      throw new GraphError(`The size of dimension "${name}" must be a whole number, 0 or more, not ${size}.`);
  const unbound = new Map<string, Set<string>>();
  const bound = model.graph.inputs.map((input) => bindInput(input, sizes, unbound));
  if (unbound.size > 0) {
    const list = [...unbound].map(([name, inputs]) => `${name} (of ${[...inputs].join(', ')})`);
    throw new GraphError(
      `The model has ${unbound.size === 1 ? 'a dimension' : `${unbound.size} dimensions`} without a size: ${list.join('; ')}. Bind ${unbound.size === 1 ? 'it' : 'each'} to a number: ${[...unbound.keys()].map((n) => `${n}=1`).join(', ')}.`,
    );
  }
  return bound;
}

function bindInput(
  input: ModelValue,
  sizes: ReadonlyMap<string, number>,
  unbound: Map<string, Set<string>>,
): Value {
  if (!input.shape)
    throw new GraphError(
      `Input ${input.name} has no shape, not even a rank. Export the model with input shapes.`,
    );
  const shape: Shape = input.shape.map((dim, axis) => {
    const own = `${input.name}.${axis}`;
    const size = sizes.get(own) ?? (typeof dim === 'string' ? evaluateDim(dim, sizes) : dim);
    if (typeof size === 'number') return size;
    for (const name of dim === null ? [own] : namesIn(dim as string)) {
      if (sizes.has(name)) continue;
      const users = unbound.get(name);
      if (users) users.add(input.name);
      else unbound.set(name, new Set([input.name]));
    }
    return 0;
  });
  return { name: input.name, type: input.type, shape };
}

/**
 * The values of inputs that were given for good, by name. A size that no input fixes is 1, or as many as there are values.
 * @param bound the model's other inputs, whose sizes name those that these share
 * @throws GraphError for a list of another length than the input has elements
 */
export function bindGiven(
  model: Model,
  dims: Readonly<Record<string, number>>,
  bound: readonly Value[],
): ReadonlyMap<string, Tensor> {
  const sizes = new Map(Object.entries(dims));
  model.graph.inputs.forEach(({ shape }, i) =>
    shape?.forEach((dim, axis) => {
      if (typeof dim === 'string' && !sizes.has(dim)) sizes.set(dim, bound[i]!.shape[axis]!);
    }),
  );
  return new Map((model.graph.given ?? []).map((input) => [input.name, filled(input, sizes)]));
}

function filled({ name, type, shape, values }: GivenInput, sizes: ReadonlyMap<string, number>): Tensor {
  const known = (shape ?? []).map((dim, axis) =>
    typeof dim === 'number'
      ? dim
      : (sizes.get(`${name}.${axis}`) ?? (dim === null ? undefined : evaluateDim(dim, sizes))),
  );
  // One axis that nothing fixes takes the list's length.
  const fixed = sizeOf(known.map((d) => d ?? 1));
  const rest = values.length / Math.max(1, fixed);
  const free = known.indexOf(undefined);
  const whole = known.map((d, axis) => d ?? (axis === free && Number.isInteger(rest) && rest > 0 ? rest : 1));
  const count = sizeOf(whole);
  if (values.length !== 1 && values.length !== count)
    throw new GraphError(
      `The input ${name} [${whole.join(', ')}] takes ${count} ${count === 1 ? 'number' : 'numbers'}, but was given ${values.length}. Give it as many as it takes.`,
    );
  return tensor(type, whole, values.length === count ? values : new Array<number>(count).fill(values[0]!));
}
