import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { numbersOf } from '#src/onnx/tensor.ts';
import { checkClosure } from '#src/ops/testing/gradcheck.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { buildCase, type Case, caseOperator, distance } from './cases.ts';

const { cases } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[];
};

/** Operators that no ONNX Runtime kernel computes at opset 21: only the lowered form runs. */
const loweredOnly = new Set(['RMSNormalization']);

async function check(c: Case, lowered: boolean): Promise<void> {
  const { graph, feeds, emitted, expected, missing } = buildCase(c, lowered);
  expect(missing).toEqual([]);
  checkClosure(graph, emitted);
  const results = await runGraph(graph, feeds);
  for (const v of graph.outputs) {
    const { shape, values } = expected[v.name]!;
    expect(v.shape).toEqual(shape);
    expect(results[v.name]!.shape).toEqual(shape);
    const limit = v.name === 'y' ? 5e-6 : 1e-5;
    expect(distance(numbersOf(results[v.name]!), numbersOf(values)), v.name).toBeLessThan(limit);
  }
}

describe('operators give PyTorch’s outputs and gradients', () => {
  test.each(cases.filter((c) => !loweredOnly.has(c.op)))('$name', (c) => check(c, false));
});

describe('lowered operators too', () => {
  test.each(cases.filter((c) => caseOperator(c).lower && !caseOperator(c).expand))('$name', (c) =>
    check(c, true),
  );
});
