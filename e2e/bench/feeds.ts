/** @file What a session of a benchmark is fed with: weights, state as before the first step, and numbers that only their place decides. */
import * as ort from 'onnxruntime-web';
import type { Graph } from '#src/graph/types.ts';
import { isInverse } from '#src/oft/rotation/inverses.ts';
import { sizeOf, type TypedArray, viewBytes } from '#src/onnx/tensor.ts';
import { runInputs } from '#src/program/weights.ts';
import { weightBytes } from '#src/runtime/weights.ts';

/** @param range of whole numbers: 0 … range − 1, as token ids and timesteps are */
function fill(type: string, shape: readonly number[], range: number): TypedArray {
  const n = sizeOf(shape);
  const whole = (i: number): number => (i * 7919 + 300) % range;
  if (type === 'int64') return BigInt64Array.from({ length: n }, (_, i) => BigInt(whole(i)));
  if (type === 'int32') return Int32Array.from({ length: n }, (_, i) => whole(i));
  if (type === 'bool') return new Uint8Array(n).fill(1);
  return Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i * 12.9898 + 1));
}

const state: ReadonlySet<string> = new Set(['theta', 'm', 'v', 'trace']);

/** By input of the graph's session, its run inputs included. */
export async function feedsFor(graph: Graph, range = 500): Promise<Record<string, ort.Tensor>> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const name of runInputs(graph)) {
    const c = graph.constants.get(name)!;
    const bytes = await weightBytes({ ort }, name, c);
    feeds[name] = new ort.Tensor('float32', viewBytes(c.type, bytes) as Float32Array, [...c.shape]);
  }
  for (const v of graph.inputs) {
    const data =
      v.name === 'schedule'
        ? Float32Array.of(5e-3, 10, 10, 1)
        : state.has(v.name)
          ? new Float32Array(sizeOf(v.shape))
          : isInverse(v.name)
            ? Float32Array.from({ length: sizeOf(v.shape) }, (_, i) =>
                Number((i % v.shape[1]! ** 2) % (v.shape[1]! + 1) === 0),
              )
            : fill(v.type, v.shape, range);
    feeds[v.name] = new ort.Tensor(v.type as 'float32', data as Float32Array, [...v.shape]);
  }
  return feeds;
}
