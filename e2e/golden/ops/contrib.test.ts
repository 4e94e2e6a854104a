/** @file contrib.json: outputs of ONNX Runtime's own kernels, and gradients by finite differences. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { operatorKey, operators } from '#src/ops/table.ts';
import { checkClosure, checkGradient } from '#src/ops/testing/gradcheck.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import {
  type Case,
  counted,
  distance,
  type Entry,
  modelOf,
  nodeOf,
  numbers,
  tensorOf,
} from './contribCases.ts';

const { cases } = JSON.parse(readFileSync(new URL('contrib.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[];
};

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
