import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Attributes, DType, Model, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import.ts';
import { int32Inputs } from '#src/ops/int32.ts';
import { lowerGraph } from '#src/ops/lower.ts';
import { operatorKey, operators } from '#src/ops/table.ts';
import { checkClosure, checkGradient } from '#src/ops/testing/gradcheck.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';

interface Entry {
  readonly type: DType;
  readonly shape: readonly number[];
  /** Infinities are strings. Packed types: bytes. */
  readonly values: readonly (number | string)[];
  readonly constant?: true;
}

interface Case {
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

const { cases } = JSON.parse(readFileSync(new URL('contrib.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[];
};

const numbers = (e: Entry): number[] =>
  e.values.map((v) => (typeof v === 'string' ? Number(v.replace('inf', 'Infinity')) : v));
const packed = (e: Entry): boolean => e.type === 'int4' || e.type === 'uint4';
const tensorOf = (e: Entry): Tensor =>
  packed(e)
    ? { type: e.type, shape: e.shape, data: Uint8Array.from(numbers(e)) }
    : tensor(e.type, e.shape, numbers(e));

const nodeOf = (c: Case): Node => ({
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
function modelOf(c: Case): Model {
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
function distance(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
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
function counted(c: Case, values: readonly number[], shape: readonly number[]): number[] {
  const { rows } = c;
  if (!rows) return [...values];
  const [batch, length] = shape as [number, number];
  const width = values.length / batch / length;
  return values.filter((_, i) => Math.floor(i / width) % length < rows[Math.floor(i / (width * length))]!);
}

describe('operators give ONNX Runtime’s outputs', () => {
  test.each(cases)('$name', async (c) => {
    const graph = importGraph(modelOf(c));
    const feeds = Object.fromEntries(
      c.inputs.flatMap((e, i) => (e && !e.constant ? [[`x${i}`, tensorOf(e)] as const] : [])),
    );
    for (const g of [graph, lowerGraph(graph)]) {
      const results = await runGraph(g, feeds);
      c.outputs.forEach((e, i) => {
        if (!e) return;
        const got = results[`y${i}`]!;
        expect(got.shape).toEqual(e.shape);
        const [a, b] = [numbersOf(got), numbers(e)].map((v) => counted(c, v, e.shape)) as [
          number[],
          number[],
        ];
        expect(distance(a, b)).toBeLessThan(c.tolerance ?? 5e-6);
      });
    }
    const narrow = int32Inputs(graph);
    checkClosure(narrow, narrow.nodes);
  });
});

describe('their gradients are those of finite differences', () => {
  const isFloat = (e: Entry): boolean => e.type === 'float32';
  test.each(cases.filter((c) => c.inputs.some((e) => e && isFloat(e) && !e.constant)))('$name', async (c) => {
    const data = c.inputs.flatMap((e, i) => (e && !e.constant ? [{ e, i }] : []));
    await checkGradient({
      inputs: data.map(({ e }) => ({
        shape: e.shape,
        values: numbers(e),
        ...(!isFloat(e) && { type: e.type }),
      })),
      // An input of infinities has no differences.
      wants: data.map(({ e }) => numbers(e).every(Number.isFinite)),
      directions: 2,
      ...(c.step && { step: c.step }),
      ...('softmax_precision' in c.attributes && { type: 'float32' }),
      build: (g, given) => {
        const inputs = c.inputs.map((e, i) => {
          if (!e) return null;
          if (!e.constant) return given[data.findIndex((d) => d.i === i)]!;
          const t = tensorOf(e);
          return g.initializer(
            `weight${i}`,
            constantOf(isFloat(e) ? tensor(given[0]!.type, e.shape, numbers(e)) : t),
          );
        });
        const read: Node = { ...nodeOf(c), inputs: inputs.map((v) => v?.name ?? '') };
        const entry = operators[operatorKey(read)]!;
        const node = (c.opset !== 21 && entry.convert?.(read, c.opset, g)) || read;
        const made = operators[operatorKey(node)]!.expand?.(
          g,
          node,
          node.inputs.map((n) => (n ? g.value(n) : null)),
        );
        const [y] = made ?? g.append(node);
        return [y!];
      },
    });
  });
});
