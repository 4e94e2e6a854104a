/** @file No operator without proof: each one in the table has numbers of PyTorch or ONNX Runtime, differences for its gradient, and a run on WebGPU. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { castCodes } from '#src/graph/builder.ts';
import { operators } from '#src/ops/table.ts';
import { checkGradient } from '#src/ops/testing/gradcheck.ts';
import { neverThere, plainOperators } from '#src/runtime/testing/plainOperators.ts';

const read = (file: string): { readonly op: string; readonly domain: string }[] =>
  (
    JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as {
      cases: { op: string; domain: string }[];
    }
  ).cases;
const keyOf = ({ op, domain }: { op: string; domain: string }): string =>
  domain === '' ? op : `${domain}::${op}`;
const pytorch = new Set(read('cases.json').map(keyOf));
const runtime = new Set(read('contrib.json').map(keyOf));
const table = Object.entries(operators).filter(([, o]) => !o.refused);
const differentiable = table.filter(([, o]) => typeof o.grad === 'function' || o.expand).map(([key]) => key);

/** Gradients that pass through, or of operators written out in others: checked here, having no case of their own. */
const here: Readonly<Record<string, Parameters<typeof checkGradient>[0]>> = {
  Identity: { inputs: [{ shape: [2, 3] }], build: (g, [x]) => g.emit('Identity', [x!]) },
  // Another type's rounding would be all that differences see; that integers stop a gradient is in src/ops.
  Cast: {
    inputs: [{ shape: [2, 3] }],
    type: 'float32',
    build: (g, [x]) => g.emit('Cast', [x!], { to: castCodes.float32 }),
  },
  CastLike: {
    inputs: [{ shape: [2, 3] }],
    type: 'float32',
    build: (g, [x]) => g.emit('CastLike', [x!, g.scalar(0, 'float32')]),
  },
  Dropout: {
    inputs: [{ shape: [2, 3] }],
    build: (g, [x]) => g.emitAll('Dropout', [x!], {}, { outputs: 1 })[0]!,
  },
  'com.microsoft::GemmFastGelu': {
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [4] }],
    build: (g, xs) => plainOperators['com.microsoft::GemmFastGelu']!.build(g, xs),
    type: 'float32',
  },
  'com.microsoft::NhwcConv': {
    inputs: [{ shape: [1, 3, 3, 2] }, { shape: [2, 2, 2, 2] }],
    build: (g, xs) => plainOperators['com.microsoft::NhwcConv']!.build(g, xs),
    type: 'float32',
  },
  'ai.onnx.ml::ArrayFeatureExtractor': {
    inputs: [{ shape: [2, 3] }],
    build: (g, xs) => plainOperators['ai.onnx.ml::ArrayFeatureExtractor']!.build(g, xs),
    type: 'float32',
  },
  'ai.onnx.ml::Scaler': {
    inputs: [{ shape: [2, 3] }],
    build: (g, xs) => plainOperators['ai.onnx.ml::Scaler']!.build(g, xs),
    type: 'float32',
  },
};

/** Written out in operators that stop a gradient, as QuantizeLinear does: there is none to check. */
const stopped = ['com.microsoft::QuantizeLinear'];

describe('gradients', () => {
  it('each has numbers of PyTorch or ONNX Runtime, or is checked here', () => {
    const without = differentiable.filter(
      (key) => !pytorch.has(key) && !pytorch.has(key.replace('com.microsoft::', '')) && !runtime.has(key),
    );
    expect(without.sort()).toEqual([...Object.keys(here), ...stopped].sort());
  });

  test.each(Object.keys(here))('%s agrees with finite differences', async (op) => {
    const { gradients } = await checkGradient(here[op]!);
    expect(gradients.every((g) => g?.some((x) => x !== 0))).toBe(true);
  });
});

describe('WebGPU', () => {
  const proven = (key: string): boolean => pytorch.has(key) || runtime.has(key) || key in plainOperators;

  it('each operator runs there in a test, or never gets there for a reason', () => {
    const without = table.map(([key]) => key).filter((key) => !proven(key));
    expect(without.sort()).toEqual(Object.keys(neverThere).sort());
  });

  it('what is proven is in the table', () => {
    for (const key of [...pytorch, ...runtime, ...Object.keys(plainOperators)])
      expect(operators[key]).toBeDefined();
  });
});
