/** @file What a graph computes, in a few characters: equal graphs have equal ones, so that a compiled program can be known again. */
import type { Constant } from '#src/onnx/model.ts';
import { Kept } from '#src/platform/kept.ts';
import { Numbered } from '#src/platform/numbered.ts';
import { sha256 } from '#src/platform/sha256.ts';
import type { Graph, GraphConstant } from './types.ts';

/** Constants up to so many bytes go by their numbers; larger ones are a file's weights, and go by where they lie in it, or by the array that holds them. */
const SMALL = 4096;

const arrays = new Numbered();

function constantText({ type, shape, data }: Constant): unknown {
  const where =
    data.kind === 'external'
      ? [data.location, data.offset, data.length]
      : data.bytes.byteLength <= SMALL
        ? Array.from(data.bytes)
        : [`array ${arrays.of(data.bytes.buffer)}`, data.bytes.byteOffset];
  return [type, shape, where];
}

function withBy(constant: GraphConstant): unknown {
  const { type, shape, by, rounded } = constant;
  if (by) return [type, shape, plain(by)];
  if (!rounded) return constantText(constant);
  const { of, bits, axis, size } = rounded.by;
  return [type, shape, rounded.part, bits, axis, size, constantText(of)];
}

/** The same as nested arrays and plain values. Maps and tensors inside of nodes included. */
function plain(x: unknown): unknown {
  if (x instanceof Map) return [...(x as Map<string, unknown>)].map(([key, each]) => [key, plain(each)]);
  if (ArrayBuffer.isView(x))
    return x.byteLength <= SMALL ? Array.from(x as Uint8Array, String) : arrays.of(x.buffer);
  if (Array.isArray(x)) return x.map(plain);
  if (typeof x === 'bigint') return `${x}n`;
  if (typeof x === 'number')
    return Number.isFinite(x) && !Object.is(x, -0) ? x : `${Object.is(x, -0) ? '-0' : x}`;
  if (x === null || typeof x !== 'object') return x;
  return Object.entries(x).map(([key, each]) => [key, plain(each)]);
}

/** Graphs of which it was computed. They never change. */
const known = new Kept<Graph, string>(new WeakMap());

/** SHA-256 of inputs, outputs, nodes with their attributes, shapes and constants, hexadecimal. */
export const graphDigest = (graph: Graph): Promise<string> => known.get(graph, () => digest(graph));

function digest({ inputs, outputs, nodes, constants, values }: Graph): Promise<string> {
  const text = JSON.stringify([
    plain([inputs, outputs, nodes]),
    [...constants].map(([name, each]) => [name, withBy(each)]),
    [...values.values()].map(({ name, type, shape }) => [name, type, shape]),
  ]);
  return sha256(new TextEncoder().encode(text));
}
