/** @file Inputs that get one value for good: a sampling rate, a flag, a threshold, which are neither data nor sizes. */
import { type GivenInput, type Model, ModelError } from './model.ts';

/** By input: one number for all of its elements, or one for each; true and false are 1 and 0. */
export type InputValues = Readonly<Record<string, number | readonly number[]>>;

/**
 * The model with these inputs as constants. Names that are none of its inputs are left out.
 * @throws ModelError for a value that its input cannot hold
 */
export function giveInputs(model: Model, values: InputValues): Model {
  const named = model.graph.inputs.filter(({ name }) => Object.hasOwn(values, name));
  if (named.length === 0) return model;
  const given = named.map((input): GivenInput => {
    const value = values[input.name]!;
    const list = typeof value === 'number' ? [value] : value;
    const wrong = list.find((x) => !holds(input.type, x));
    if (input.type === 'string' || wrong !== undefined)
      throw new ModelError(
        `The input ${input.name} is ${input.type}, which cannot be ${String(wrong ?? list[0])}. Give it ${input.type === 'bool' ? 'true or false' : input.type === 'string' ? 'no number: models with text inside are not supported' : 'a whole number'}.`,
      );
    return { ...input, values: list };
  });
  const inputs = model.graph.inputs.filter((input) => !named.includes(input));
  return { ...model, graph: { ...model.graph, inputs, given: [...(model.graph.given ?? []), ...given] } };
}

const holds = (type: string, x: number): boolean =>
  type.includes('float')
    ? Number.isFinite(x)
    : type === 'bool'
      ? x === 0 || x === 1
      : Number.isSafeInteger(x) && (!type.startsWith('u') || x >= 0);

/** How an input of the model gets a value once and for all: the end of a sentence. */
export const settingInputs = (name: string): string =>
  `set it: "${name}=…" under "Values of other inputs", [inputs] in a job file, --set ${name}=… on the command line.`;
