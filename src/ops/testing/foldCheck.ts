/** @file Checks an operator's folding against onnxruntime on the same values. */
import { expect } from 'vitest';
import type { Attributes } from '#src/onnx/model.ts';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';
import { builder, operators } from '../table.ts';
import { runGraph } from './runGraph.ts';

/** Which inputs may be run-time inputs of the graph; the others are constants in it. */
export interface FoldCheck {
  readonly op: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
  /** Default: only the first. */
  readonly data?: readonly number[];
}

/** Folds, infers the shape and runs; all three must agree. */
export async function checkFold({
  op,
  inputs,
  attributes = {},
  outputs = 1,
  data = [0],
}: FoldCheck): Promise<Tensor[]> {
  const g = builder();
  const values = inputs.map((t, i) => {
    if (!t) return null;
    return data.includes(i) ? g.input(`x${i}`, t.type, t.shape) : g.constant(t);
  });
  const made = g.emitAll(op, values, attributes, { outputs });
  const feeds = Object.fromEntries(
    inputs.flatMap((t, i) => (t && data.includes(i) ? [[`x${i}`, t] as const] : [])),
  );
  const run = await runGraph(g.build(made), feeds);
  const folded = operators[op]!.fold!(g.nodes.at(-1)!, inputs)!;
  made.forEach((v, i) => {
    const expected = run[v.name]!;
    expect(v.shape, `${op}: inferred shape`).toEqual(expected.shape);
    expect(folded[i]!.shape, `${op}: folded shape`).toEqual(expected.shape);
    expect(folded[i]!.type, `${op}: type`).toBe(v.type);
    expect(numbersOf(folded[i]!), `${op}: values`).toEqual(numbersOf(expected));
  });
  return [...folded];
}
