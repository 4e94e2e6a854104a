/** @file The tensor files of `--gradients`: what IN must hold, and what OUT receives. */
import { toFloat32 } from '#src/formats/files/floats.ts';
import { nearest } from '#src/formats/nearest.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { numberToBfloat, numberToHalf } from '#src/onnx/float16.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { UsageError } from './arguments.ts';

const floats = ['float32', 'float64', 'float16', 'bfloat16'];

/** The tensor with the element type of the value it is for; floats become floats, whole numbers whole numbers. */
export function fitted(t: Tensor, to: Value, name: string): Tensor {
  if (t.shape.length !== to.shape.length || t.shape.some((d, i) => d !== to.shape[i]))
    throw new UsageError(
      `${name} has shape [${t.shape.join()}], but [${to.shape.join()}] is needed. Write it into IN so.`,
    );
  if (t.type === to.type) return t;
  const isFloat = floats.includes(t.type);
  if (isFloat !== floats.includes(to.type))
    throw new UsageError(`${name} holds ${t.type}, but the model takes ${to.type}. Convert it.`);
  if (!isFloat) return tensor(to.type, t.shape, numbersOf(t));
  const values = t.type === 'float64' ? numbersOf(t) : toFloat32(t, name);
  if (to.type === 'float16')
    return { ...tensor('uint16', t.shape, Array.from(values, numberToHalf)), type: 'float16' };
  if (to.type === 'bfloat16')
    return { ...tensor('uint16', t.shape, Array.from(values, numberToBfloat)), type: 'bfloat16' };
  return tensor(to.type, t.shape, values);
}

/** Half-precision results as float32: gradients are reported in full precision. */
export const widened = (t: Tensor, name: string): Tensor =>
  t.type === 'float16' || t.type === 'bfloat16'
    ? { type: 'float32', shape: t.shape, data: toFloat32(t, name) }
    : t;

export const zeroTensor = (shape: readonly number[]): Tensor => ({
  type: 'float32',
  shape,
  data: new Float32Array(sizeOf(shape)),
});

/** Feeds from IN: `input.<name>` for each input, `cotangent.<output>` for at least one float output. */
export function feedsFrom(
  given: ReadonlyMap<string, Tensor>,
  graph: Graph,
): { readonly feeds: Record<string, Tensor>; readonly cotangents: ReadonlyMap<string, Tensor> } {
  // Without a prototype, any name is a key like others.
  const feeds = Object.create(null) as Record<string, Tensor>;
  for (const v of graph.inputs) {
    const t = given.get(`input.${v.name}`);
    if (!t) {
      const there = [...given.keys()];
      const meant = nearest(`input.${v.name}`, there);
      throw new UsageError(
        `IN lacks input.${v.name} [${v.shape.join()}]${meant ? `; did you mean that by ${meant}?` : '. Add it.'}`,
      );
    }
    feeds[v.name] = fitted(t, v, `input.${v.name}`);
  }
  const cotangents = new Map<string, Tensor>();
  for (const v of graph.outputs) {
    const t = given.get(`cotangent.${v.name}`);
    if (!t || !floats.includes(v.type)) continue;
    cotangents.set(v.name, fitted(t, v, `cotangent.${v.name}`));
  }
  if (cotangents.size === 0)
    throw new UsageError(
      `IN holds no cotangent of an output; it takes ${graph.outputs.map((v) => `cotangent.${v.name} [${v.shape.join()}]`).join(' or ')}.`,
    );
  return { feeds, cotangents };
}
