/** @file One operator of cases.json as a graph: outputs and gradients for given inputs and cotangent. */
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Attributes, DType, Node } from '#src/onnx/model.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { builder, operatorKey, operators } from '#src/ops/table.ts';

export interface Entry {
  readonly type: DType;
  readonly shape: readonly number[];
  /** Infinities are strings. */
  readonly values: readonly (number | string)[];
  readonly constant?: true;
  readonly gradient?: readonly number[];
}

export interface Case {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly outputs?: number;
  readonly attributes: Attributes;
  readonly inputs: readonly (Entry | null)[];
  readonly output: Entry;
  readonly cotangent: readonly number[];
}

export const entryTensor = (e: Entry): Tensor =>
  tensor(
    e.type,
    e.shape,
    e.values.map((v) => (typeof v === 'string' ? Number(v.replace('inf', 'Infinity')) : v)),
  );

export const caseOperator = (c: Case) => operators[c.domain === '' ? c.op : `${c.domain}::${c.op}`]!;

/** The operator as it is, or written out where the import does that; or lowered. */
export function applyCase(g: Builder, c: Case, inputs: readonly (Value | null)[], lowered: boolean): Value {
  const outputs = c.outputs ?? 1;
  const node: Node = {
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

export interface BuiltCase {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** The nodes of the gradient. */
  readonly emitted: readonly Node[];
  /** Output name → what PyTorch gives; the gradient of an input without influence is missing from the graph. */
  readonly expected: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Tensor }>>;
  /** Inputs for which PyTorch has a gradient that is not zero, but the graph none. */
  readonly missing: readonly number[];
}

export function buildCase(c: Case, lowered = false): BuiltCase {
  const g = builder();
  const feeds: Record<string, Tensor> = {};
  const inputs = c.inputs.map((e, i) => {
    if (!e) return null;
    if (e.constant) return g.constant(entryTensor(e));
    feeds[`x${i}`] = entryTensor(e);
    return g.input(`x${i}`, e.type, e.shape);
  });
  const made = applyCase(g, c, inputs, lowered);
  const y = g.emit('Identity', [made], {}, { outputNames: ['y'] });
  const dy = g.input('dy', y.type, y.shape);
  feeds.dy = tensor(y.type, y.shape, c.cotangent);
  const wrt = c.inputs.flatMap((e, i) => (e && !e.constant ? [i] : []));
  const before = g.nodes.length;
  const found = backward(
    g,
    new Map([[made.name, dy]]),
    wrt.map((i) => inputs[i]!),
  );
  const emitted = g.nodes.slice(before);
  const expected: Record<string, { shape: readonly number[]; values: Tensor }> = {
    y: { shape: c.output.shape, values: entryTensor(c.output) },
  };
  const outputs = [y];
  const missing: number[] = [];
  wrt.forEach((i, k) => {
    const e = c.inputs[i]!;
    const grad = found[k];
    if (!grad) {
      if (e.gradient!.some((v) => v !== 0)) missing.push(i);
      return;
    }
    const name = `gradient${i}`;
    outputs.push(g.emit('Identity', [grad], {}, { outputNames: [name] }));
    expected[name] = { shape: e.shape, values: tensor('float32', e.shape, e.gradient!) };
  });
  return { graph: g.build(outputs), feeds, emitted, expected, missing };
}

/** Largest difference over the largest magnitude; equal infinities agree. */
export function distance(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  const scale = Math.max(1e-3, ...expected.filter(Number.isFinite).map(Math.abs));
  return actual.reduce((worst, x, i) => {
    const d = x === expected[i] ? 0 : Math.abs(x - expected[i]!) / scale;
    return Number.isNaN(d) ? Infinity : Math.max(worst, d);
  }, 0);
}
