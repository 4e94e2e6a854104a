/** @file How a model's weights are stored: as float16 behind a Cast, or in a file beside it. */
import { numbersToHalves } from '#src/onnx/float16.ts';
import type { Constant, ModelGraph, Node } from '#src/onnx/model.ts';
import { sizeOf, tensorOf } from '#src/onnx/tensor.ts';
import { fresh, namesIn, renameReads } from './onnxEdit.ts';

/** float32 matrices and kernels of at least so many numbers are worth halving; smaller ones may be operands that must stay constant. */
const WORTH_HALVING = 256;

/** Operators on weights in blocks of few bits: their scales are small, and must be stored in the type that is computed with. */
const packed = new Set(['MatMulNBits', 'GatherBlockQuantized']);

/**
 * float32 initializers of two axes or more as float16, each behind a Cast back to float32, so that the computation stays float32. Tensors
 * with a number beyond float16's range stay, and so do the scales of weights in few bits.
 */
export function halved(graph: ModelGraph): ModelGraph {
  const names = namesIn(graph);
  const kept = new Set([
    ...graph.outputs.map((o) => o.name),
    ...graph.nodes.flatMap((node) => (packed.has(node.op) ? node.inputs : [])),
  ]);
  const initializers = new Map<string, Constant>();
  const casts: Node[] = [];
  const renamed = new Map<string, string>();
  for (const [name, constant] of graph.initializers) {
    const half = kept.has(name) ? undefined : asHalf(constant);
    initializers.set(name, half ?? constant);
    if (!half) continue;
    const wide = fresh(names, `${name}/float32`);
    renamed.set(name, wide);
    casts.push({
      op: 'Cast',
      domain: '',
      name: fresh(names, `${name}/Cast`),
      inputs: [name],
      outputs: [wide],
      attributes: { to: { kind: 'int', value: 1 } },
    });
  }
  const rest = renameReads(graph, renamed);
  return { ...rest, initializers, nodes: [...casts, ...rest.nodes] };
}

function asHalf(constant: Constant): Constant | undefined {
  if (constant.type !== 'float32' || constant.shape.length < 2 || sizeOf(constant.shape) < WORTH_HALVING)
    return undefined;
  // Of a model whose weights were not all read there is nothing to halve.
  if (constant.data.kind === 'external') return undefined;
  const values = tensorOf(constant).data as Float32Array;
  const bits = numbersToHalves(values);
  // An infinity, or no number.
  if (bits.some((each) => (each & 0x7c00) === 0x7c00)) return undefined;
  return {
    type: 'float16',
    shape: constant.shape,
    data: { kind: 'inline', bytes: new Uint8Array(bits.buffer) },
  };
}

/** ONNX recommends that external tensors start at pages, so that they can be mapped. */
const PAGE = 4096;
/** Smaller tensors stay in the model's file. */
const WORTH_MOVING = 1024;

/** The graph with its larger initializers as ranges of one data file, and that file. */
export function externalised(
  graph: ModelGraph,
  location: string,
): { readonly graph: ModelGraph; readonly data: Uint8Array } {
  const initializers = new Map<string, Constant>();
  const parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  for (const [name, constant] of graph.initializers) {
    const { data } = constant;
    if (data.kind !== 'inline' || data.bytes.length < WORTH_MOVING) {
      initializers.set(name, constant);
      continue;
    }
    const offset = Math.ceil(end / PAGE) * PAGE;
    end = offset + data.bytes.length;
    parts.push({ offset, bytes: data.bytes });
    initializers.set(name, {
      ...constant,
      data: { kind: 'external', location, offset, length: data.bytes.length },
    });
  }
  const all = new Uint8Array(end);
  for (const { offset, bytes } of parts) all.set(bytes, offset);
  return { graph: { ...graph, initializers }, data: all };
}
