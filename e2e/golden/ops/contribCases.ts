/** @file Operators of ONNX Runtime and of newer opsets as the models that hold them: contrib.json's cases. */
import { backward } from '#src/autodiff/backward.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Attributes, DType, Model, Node } from '#src/onnx/model.ts';
import { constantOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { builder } from '#src/ops/table.ts';

export interface Entry {
  readonly type: DType;
  readonly shape: readonly number[];
  /** Infinities are strings. Packed types: bytes. */
  readonly values: readonly (number | string)[];
  readonly constant?: true;
}

export interface Case {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly opset: number;
  readonly attributes: Attributes;
  readonly inputs: readonly (Entry | null)[];
  readonly outputs: readonly (Entry | null)[];
  /** Rows of each sequence that count; the runtime leaves those of padding undefined. */
  readonly rows?: readonly number[];
  readonly tolerance?: number;
  /** Of finite differences. */
  readonly step?: number;
}

export const numbers = (e: Entry): number[] =>
  e.values.map((v) => (typeof v === 'string' ? Number(v.replace('inf', 'Infinity')) : v));
const packed = (e: Entry): boolean => e.type === 'int4' || e.type === 'uint4';
export const tensorOf = (e: Entry): Tensor =>
  packed(e)
    ? { type: e.type, shape: e.shape, data: Uint8Array.from(numbers(e)) }
    : tensor(e.type, e.shape, numbers(e));

export const nodeOf = (c: Case): Node => ({
  op: c.op,
  domain: c.domain,
  name: c.name,
  inputs: c.inputs.map((e, i) => (e ? `x${i}` : '')),
  outputs: c.outputs.map((e, i) => (e ? `y${i}` : '')),
  attributes: c.attributes,
});

const named = <T>(entries: readonly (Entry | null)[], make: (e: Entry, name: string) => T): T[] =>
  entries.flatMap((e, i) => (e ? [make(e, `x${i}`)] : []));

/** The case as a file would hold it. */
export function modelOf(c: Case): Model {
  const node = nodeOf(c);
  const constants = c.inputs.map((e) => (e?.constant ? e : null));
  const data = c.inputs.map((e) => (e?.constant ? null : e));
  return {
    irVersion: 10,
    opsets: new Map([
      ['', c.opset],
      ['com.microsoft', 1],
    ]),
    producer: '',
    metadata: new Map(),
    graph: {
      name: '',
      inputs: named(data, ({ type, shape }, name) => ({ name, type, shape })),
      outputs: node.outputs.filter(Boolean).map((name) => ({ name, type: 'float32', shape: null })),
      nodes: [node],
      initializers: new Map(named(constants, (e, name) => [name, constantOf(tensorOf(e))] as const)),
    },
  };
}

/** Largest difference over the largest magnitude; infinities of one sign agree. */
export function distance(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  const scale = Math.max(1e-3, ...expected.filter((x) => Math.abs(x) < 1e30).map(Math.abs));
  return actual.reduce((worst, x, i) => {
    const y = expected[i]!;
    // The largest numbers stand for infinities in masked scores.
    const same = x === y || (Math.abs(x) > 1e38 && Math.abs(y) > 1e38 && x > 0 === y > 0);
    const d = same ? 0 : Math.abs(x - y) / scale;
    return Number.isNaN(d) ? Infinity : Math.max(worst, d);
  }, 0);
}

/** What the case says counts: the first rows of each sequence. */
export function counted(c: Case, values: readonly number[], shape: readonly number[]): number[] {
  const { rows } = c;
  if (!rows) return [...values];
  const [batch, length] = shape as [number, number];
  const width = values.length / batch / length;
  return values.filter((_, i) => Math.floor(i / width) % length < rows[Math.floor(i / (width * length))]!);
}

/**
 * The imported case with the gradients of its float inputs beside its outputs, for a cotangent of many values; integers as the device gets
 * them.
 */
export function withGradients(c: Case): {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
} {
  // As in a step: indices are 32-bit before anything is differentiated.
  const imported = int32Inputs(importGraph(modelOf(c)));
  const feeds: Record<string, Tensor> = {};
  c.inputs.forEach((e, i) => {
    if (e && !e.constant) feeds[`x${i}`] = tensorOf(e);
  });
  const g = builder(imported);
  const outputs = [...imported.outputs];
  // Cached keys and values are read again by the next token, not trained through.
  const y = outputs[0]!;
  const wrt = c.inputs.flatMap((e, i) =>
    e && !e.constant && e.type === 'float32' && numbers(e).every(Number.isFinite) ? [i] : [],
  );
  if (wrt.length > 0) {
    const dy = g.input('dy', y.type, y.shape);
    const count = y.shape.reduce((n, d) => n * d, 1);
    feeds.dy = tensor(
      y.type,
      y.shape,
      Array.from({ length: count }, (_, i) => Math.sin(1 + 1.7 * i)),
    );
    const found = backward(
      g,
      new Map([[y.name, dy]]),
      wrt.map((i) => g.value(`x${i}`)),
    );
    found.forEach((grad, k) => {
      if (grad) outputs.push(g.emit('Identity', [grad], {}, { outputNames: [`gradient${wrt[k]}`] }));
    });
  }
  return { graph: g.build(outputs), feeds };
}
