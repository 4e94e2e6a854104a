/** @file Models in float16, bfloat16 and float64, operator by operator: imported, they compute in float32, with the numbers of the float32 model. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import type { DType, Model } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { depth } from '#src/platform/testing/depth.ts';
import type { Case as PyTorchCase } from './cases.ts';
import { type Case, type Entry, modelOf, tensorOf } from './contribCases.ts';

const read = (file: string): unknown =>
  (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { cases: unknown }).cases;

/** PyTorch's cases in the other list's form. */
const pytorch = (read('cases.json') as readonly PyTorchCase[]).map((c): Case => ({
  name: `${c.op}: ${c.name}`,
  op: c.op,
  domain: c.domain,
  opset: c.op === 'RMSNormalization' ? 23 : 21,
  attributes: c.attributes,
  inputs: c.inputs,
  outputs: Array.from({ length: c.outputs ?? 1 }, (_, i) =>
    i === 0 ? c.output : { type: 'float32', shape: [], values: [] },
  ),
}));
const all = [...pytorch, ...(read('contrib.json') as readonly Case[])];

const float = (type: DType): boolean => /^b?float/.test(type);

/** The case's float32 tensors rounded to a type, in that type or back in float32. */
function rounded(c: Case, stored: DType, type: DType): Case {
  const entry = (e: Entry | null): Entry | null => {
    if (e?.type !== 'float32') return e;
    const values = numbersOf(tensor(stored, e.shape, numbersOf(tensorOf(e))));
    return { ...e, type, values: values.map((x) => (Number.isFinite(x) ? x : x > 0 ? 'inf' : '-inf')) };
  };
  return { ...c, inputs: c.inputs.map(entry) };
}

const feedsOf = (graph: Graph, c: Case): Record<string, Tensor> =>
  Object.fromEntries(
    c.inputs.flatMap((e, i) => {
      if (!e || e.constant || !graph.inputs.some((v) => v.name === `x${i}`)) return [];
      const t = tensorOf(e);
      return [[`x${i}`, float(e.type) ? tensor('float32', t.shape, numbersOf(t)) : t]];
    }),
  );

/** A file in which whatever says float32 says the other type. */
function stored(model: Model, type: DType): Model {
  const outputs = model.graph.outputs.map((v) => ({ ...v, type }));
  return { ...model, graph: { ...model.graph, outputs } };
}

/** Every operator once. */
const one = all.filter((c, i) => all.findIndex((d) => d.op === c.op && d.domain === c.domain) === i);

describe.each([
  ['float16', all],
  ['bfloat16', depth(one, all)],
  ['float64', depth(one, all)],
] as const)('%s', (type, cases) => {
  test.each(cases)('$name', async (c) => {
    const half = rounded(c, type, type);
    const graph = importGraph(stored(modelOf(half), type));
    for (const v of graph.values.values()) expect(['float16', 'bfloat16', 'float64']).not.toContain(v.type);
    const plain = rounded(c, type, 'float32');
    const expected = await runGraph(importGraph(modelOf(plain)), feedsOf(graph, plain));
    const found = await runGraph(graph, feedsOf(graph, half));
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, t] of Object.entries(expected)) expect(found[name]).toEqual(t);
  });
});
