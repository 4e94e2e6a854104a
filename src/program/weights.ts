/** @file Which constants become run inputs: device buffers that every program of a model shares. */
import type { Graph } from '#src/graph/types.ts';
import { sizeOf } from '#src/onnx/tensor.ts';

/** Float constants of at least 256 numbers; smaller ones (biases, masks, shapes) stay in the graph, where the session can fold them. */
export function runInputs(graph: Graph): string[] {
  return [...graph.constants]
    .filter(([, c]) => c.type === 'float32' && sizeOf(c.shape) >= 256)
    .map(([name]) => name);
}
