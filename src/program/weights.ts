/** @file Which constants become run inputs: device buffers that every program of a model shares; and what trained weights begin with. */
import { GraphError, type Graph } from '#src/graph/types.ts';
import type { DType } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensorOf } from '#src/onnx/tensor.ts';
import { initialParameters, type Layout } from '#src/oft/rotation/parameters.ts';

/** Element types of weights as they are stored. Whole numbers of other types are indices and shapes. */
const stored: ReadonlySet<DType> = new Set(['float32', 'float16', 'int8', 'uint8', 'int4', 'uint4']);

/**
 * Weights of at least 256 numbers, in whichever type they are stored, and what is rounded at loading; smaller ones (biases, masks, shapes) stay in the graph,
 * where the session can fold them.
 */
export function runInputs(graph: Graph): string[] {
  return [...graph.constants]
    .filter(([, c]) => c.rounded !== undefined || (stored.has(c.type) && sizeOf(c.shape) >= 256))
    .map(([name]) => name);
}

/** The vector that a run begins with: the untouched model, whole weights as they are in the graph. */
export const startingParameters = (layout: Layout, graph: Graph): Float32Array =>
  initialParameters(layout, (name) => {
    const constant = graph.constants.get(name);
    if (constant?.data.kind !== 'inline')
      throw new GraphError(`${name} is to be trained as a whole, but the model has no such weight at hand.`, {
        cure: 'Choose another head, or export the model again.',
      });
    return numbersOf(tensorOf(constant));
  });
