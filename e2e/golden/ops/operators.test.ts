import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { checkClosure, checkGradient } from '#src/ops/testing/gradcheck.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { applyCase, buildCase, type Case, caseOperator, distance, type Entry, entryTensor } from './cases.ts';

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

/** Cases at points without a derivative, where PyTorch's choice of one is the rule; or of infinities, which have no differences. */
const kinks = new Set([
  'Relu at zero',
  'Clip relu6 at its bounds',
  'Pow at zero',
  'Where minus infinity',
  'ReduceMax ties',
  'ReduceMin ties',
  'ScatterElements max of equals',
  'ScatterElements min of equals',
  'MaxPool ties',
]);

describe('their gradients are those of finite differences, too', () => {
  test('but for cases without a derivative, which are there', () => {
    expect(
      cases
        .filter((c) => kinks.has(c.name))
        .map((c) => c.name)
        .sort(),
    ).toEqual([...kinks].sort());
  });

  const isFloat = (e: Entry): boolean => e.type === 'float32';
  const checked = cases.filter(
    (c) => !kinks.has(c.name) && c.inputs.some((e) => e && isFloat(e) && !e.constant),
  );
  test.each(checked)('$name', async (c) => {
    const data = c.inputs.flatMap((e, i) => (e && !e.constant ? [{ e, i }] : []));
    await checkGradient({
      inputs: data.map(({ e }) => ({
        shape: e.shape,
        values: numbersOf(entryTensor(e)),
        ...(!isFloat(e) && { type: e.type }),
      })),
      directions: 2,
      ...(loweredOnly.has(c.op) && { type: 'float32' }),
      // Its largest numbers are near one another.
      ...(c.op === 'GlobalMaxPool' && { step: 2e-3 }),
      build: (g, given) => {
        const inputs = c.inputs.map((e, i) => {
          if (!e) return null;
          if (!e.constant) return given[data.findIndex((d) => d.i === i)]!;
          const t = entryTensor(e);
          return g.constant(isFloat(e) ? tensor(given[0]!.type, e.shape, numbersOf(t)) : t);
        });
        return applyCase(g, c, inputs, loweredOnly.has(c.op));
      },
    });
  });
});
