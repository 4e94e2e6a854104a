/** @file From an ONNX file to a graph with static shapes whose inputs have known parts to play. */
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { type Model, ModelError, type ModelValue } from '#src/onnx/model.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';

/** The model with all dimensions bound, with inputs of int32: WebGPU has no int64 arithmetic. */
export const staticGraph = (model: Model, dims: Readonly<Record<string, number>>): Graph =>
  int32Inputs(importGraph(model, dims));

/** Sizes for those axes of an input that have none. */
export function free(input: ModelValue, sizes: readonly number[]): Record<string, number> {
  const dims: Record<string, number> = {};
  sizes.forEach((size, axis) => {
    if (typeof input.shape?.[axis] !== 'number') dims[`${input.name}.${axis}`] = size;
  });
  return dims;
}

export const rank = (v: ModelValue): number => v.shape?.length ?? -1;

export const shown = (v: { readonly name: string; readonly shape: readonly unknown[] | null }): string =>
  `${v.name} [${v.shape?.join() ?? '?'}]`;

/** An input by its usual name, else the only one that looks like it; null if there is none. */
export function role(
  inputs: readonly ModelValue[],
  name: string,
  fits: (v: ModelValue) => boolean,
): ModelValue | null {
  const alike = inputs.filter(fits);
  return inputs.find((v) => v.name === name) ?? (alike.length === 1 ? alike[0]! : null);
}

/** As {@link role}, where there must be one. Throws ModelError that lists the inputs. */
export function needed(
  path: string,
  inputs: readonly ModelValue[],
  name: string,
  what: string,
  fits: (v: ModelValue) => boolean,
): ModelValue {
  const found = role(inputs, name, fits);
  if (!found)
    throw new ModelError(
      `${path} has no input for ${what} (usually named ${name}): it has ${inputs.map(shown).join(', ') || 'none'}.`,
    );
  return found;
}

/** The graph's input of a name. Throws GraphError where its shape is fixed to another. */
export function inputOf(path: string, graph: Graph, name: string, shape: readonly number[]): Value {
  const input = graph.inputs.find((v) => v.name === name);
  if (input?.shape.join() !== shape.join())
    throw new GraphError(
      `Input ${name} of ${path} has the fixed shape [${input?.shape.join() ?? ''}], but it is to take [${shape.join()}]. Export the model with dynamic axes.`,
    );
  return input;
}

/** As {@link inputOf}, of float32. */
export function floatInput(path: string, graph: Graph, name: string, shape: readonly number[]): Value {
  const input = inputOf(path, graph, name, shape);
  if (input.type !== 'float32')
    throw new ModelError(
      `Input ${name} of ${path} is ${input.type}. Rotune computes in float32: export the model with \`--dtype fp32\`.`,
    );
  return input;
}
