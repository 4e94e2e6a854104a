import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Attributes, DType } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { builder, operatorKey, operators } from '#src/ops/table.ts';
import { checkClosure } from '#src/ops/testing/gradcheck.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';

interface Entry {
  readonly type: DType;
  readonly shape: readonly number[];
  /** Infinities are strings. */
  readonly values: readonly (number | string)[];
  readonly constant?: true;
  readonly gradient?: readonly number[];
}

interface Case {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly outputs?: number;
  readonly attributes: Attributes;
  readonly inputs: readonly (Entry | null)[];
  readonly output: Entry;
  readonly cotangent: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[];
};

const values = (e: Entry): Tensor =>
  tensor(
    e.type,
    e.shape,
    e.values.map((v) => (typeof v === 'string' ? Number(v.replace('inf', 'Infinity')) : v)),
  );

/** Operators that no ONNX Runtime kernel computes at opset 21: only the lowered form runs. */
const loweredOnly = new Set(['RMSNormalization']);

/** The operator as it is, or written out where the import does that; or lowered. */
function apply(g: Builder, c: Case, inputs: readonly (Value | null)[], lowered: boolean): Value {
  const outputs = c.outputs ?? 1;
  const node = {
    op: c.op,
    domain: c.domain,
    name: c.name,
    inputs: inputs.map((v) => v?.name ?? ''),
    outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    attributes: c.attributes,
  };
  const operator = operators[operatorKey(node)]!;
  const values = (lowered ? operator.lower : operator.expand)?.(g, node, inputs);
  return values?.[0] ?? g.emitAll(c.op, inputs, c.attributes, { domain: c.domain, outputs })[0]!;
}

/** Largest difference over the largest magnitude; equal infinities agree. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...expected.filter(Number.isFinite).map(Math.abs));
  return actual.reduce((worst, x, i) => {
    const d = x === expected[i] ? 0 : Math.abs(x - expected[i]!) / scale;
    return Number.isNaN(d) ? Infinity : Math.max(worst, d);
  }, 0);
}

async function check(c: Case, lowered: boolean): Promise<void> {
  const g = builder();
  const feeds: Record<string, Tensor> = {};
  const inputs = c.inputs.map((e, i) => {
    if (!e) return null;
    if (e.constant) return g.constant(values(e));
    feeds[`x${i}`] = values(e);
    return g.input(`x${i}`, e.type, e.shape);
  });
  const y = apply(g, c, inputs, lowered);
  expect(y.shape).toEqual(c.output.shape);
  const dy = g.input('dy', y.type, y.shape);
  feeds.dy = tensor(y.type, y.shape, c.cotangent);
  const wrt = inputs.filter((v, i) => v && !c.inputs[i]!.constant) as Value[];
  const before = g.nodes.length;
  const found = backward(g, new Map([[y.name, dy]]), wrt);
  const emitted = g.nodes.slice(before);
  const grads = found.map((v, i) => v && g.emit('Identity', [v], {}, { outputNames: [`gradient${i}`] }));
  const graph = g.build([y, ...grads.filter((v) => v !== null)]);
  checkClosure(graph, emitted);
  const results = await runGraph(graph, feeds);
  expect(distance(numbersOf(results[y.name]!), numbersOf(values(c.output)))).toBeLessThan(5e-6);
  wrt.forEach((v, i) => {
    const expected = c.inputs[Number(v.name.slice(1))]!.gradient!;
    const grad = grads[i];
    const actual = grad ? numbersOf(results[grad.name]!) : expected.map(() => 0);
    if (grad) expect(grad.shape).toEqual(v.shape);
    expect(distance(actual, expected)).toBeLessThan(1e-5);
  });
}

const keyOf = (c: Case): string => (c.domain === '' ? c.op : `${c.domain}::${c.op}`);

describe('operators give PyTorch’s outputs and gradients', () => {
  test.each(cases.filter((c) => !loweredOnly.has(c.op)))('$name', (c) => check(c, false));
});

describe('lowered operators too', () => {
  test.each(cases.filter((c) => operators[keyOf(c)]?.lower && !operators[keyOf(c)]?.expand))('$name', (c) =>
    check(c, true),
  );
});
