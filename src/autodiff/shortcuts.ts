/**
 * @file Patterns of several nodes whose gradient takes fewer passes over memory than node by node: what the reverse mode then goes through is one
 * composite. The forward nodes stay as they are, so that ONNX Runtime can fuse what it knows.
 */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { intAttr } from '#src/graph/attributes.ts';
import { readersOf } from '#src/graph/topology.ts';
import type { Node } from '#src/onnx/model.ts';
import { roundedValue, straightThrough } from '#src/ops/quantised/straightThrough.ts';
import { numbersOf, sizeOf } from '#src/onnx/tensor.ts';

interface Sight {
  readonly g: Builder;
  producer(name: string): Node | undefined;
  /** Nodes that read the value. */
  readers(name: string): readonly Node[];
  /** The number that a constant of one element holds. */
  scalar(name: string): number | undefined;
}

/** Declares the composites of the graph as it stands. Call it once, before reverse mode. Float32 alone. */
export function takeShortcuts(g: Builder): void {
  const sight = look(g);
  for (const node of [...g.nodes]) {
    if (node.domain !== '' || node.outputs.length !== 1 || g.composites.has(node.outputs[0]!)) continue;
    if (g.value(node.outputs[0]!).type !== 'float32') continue;
    if (node.op === 'DequantizeLinear') straight(sight, node);
    else if (node.op === 'MatMul') attend(sight, node);
    else if (node.op === 'Mul' && !silu(sight, node)) gelu(sight, node);
  }
}

function look(g: Builder): Sight {
  const producers = new Map<string, Node>();
  for (const node of g.nodes) for (const o of node.outputs) producers.set(o, node);
  const readers = readersOf(g.nodes);
  return {
    g,
    producer: (name) => producers.get(name),
    readers: (name) => readers.get(name) ?? [],
    scalar: (name) => {
      const value = g.values.get(name);
      if (!value || sizeOf(value.shape) !== 1) return undefined;
      const t = g.constants.has(name) ? g.constantValue(value) : undefined;
      return t && numbersOf(t)[0];
    },
  };
}

/** The node that gives the value, where it is of that operator. */
function madeBy({ producer }: Sight, name: string, op: string): Node | undefined {
  const node = producer(name);
  return node?.op === op && node.domain === '' ? node : undefined;
}

/** [a, b] and [b, a] of a commutative node. */
const bothWays = ({ inputs }: Node): readonly (readonly [string, string])[] => [
  [inputs[0]!, inputs[1]!],
  [inputs[1]!, inputs[0]!],
];

/** A node that multiplies by a number, Mul or Div: what it multiplies, and the number. */
function scaled({ scalar }: Sight, node: Node | undefined): readonly [string, number] | undefined {
  if (node?.domain !== '') return undefined;
  if (node.op === 'Div') {
    const by = scalar(node.inputs[1]!);
    return by === undefined ? undefined : [node.inputs[0]!, 1 / by];
  }
  if (node.op !== 'Mul') return undefined;
  for (const [x, k] of bothWays(node)) {
    const by = scalar(k);
    if (by !== undefined) return [x, by];
  }
  return undefined;
}

/** Activations that are rounded: their gradient passes to what lies before the rounding. */
function straight({ g, producer }: Sight, node: Node): void {
  const before = roundedValue(node, producer);
  if (before === undefined) return;
  const [x, y] = [g.value(before), g.value(node.outputs[0]!)];
  const dynamic = producer(node.inputs[0]!)!.op === 'DynamicQuantizeLinear';
  g.composite('rounding', [x], y, (dy) => [
    straightThrough(g, node, { x, y, dy, scale: g.value(node.inputs[1]!), dynamic }),
  ]);
}

/** SiLU, y = x·σ(x) with s = σ(x): y′ = s + y (1 − s). */
function silu(sight: Sight, node: Node): boolean {
  const { g } = sight;
  for (const [a, b] of bothWays(node)) {
    if (madeBy(sight, b, 'Sigmoid')?.inputs[0] !== a) continue;
    const [x, s, y] = [g.value(a), g.value(b), g.value(node.outputs[0]!)];
    g.composite('SiLU', [x], y, (dy) => [g.mul(dy, g.add(s, g.mul(y, g.sub(g.scalar(1), s))))]);
    return true;
  }
  return false;
}

/**
 * GELU as exporters write it out, y = ½ x t with t = 1 + erf u and u = x/√2, the ½ before, behind or between:
 * y′ = ½ (t + 2 x φ(x)), φ(x) = e^(−u²)/√(2π).
 */
function gelu(sight: Sight, node: Node): void {
  const { g } = sight;
  const found = halfProduct(sight, node);
  if (!found) return;
  const { x, t, u } = found;
  g.composite('GELU', [x], g.value(node.outputs[0]!), (dy) => {
    const twicePhi = g.exp(g.sub(g.scalar(Math.log(2 / Math.sqrt(2 * Math.PI))), g.mul(u, u)));
    return [g.mul(dy, g.mul(g.add(t, g.mul(x, twicePhi)), g.scalar(0.5)))];
  });
}

interface Gelu {
  readonly x: Value;
  readonly t: Value;
  readonly u: Value;
}

function halfProduct(sight: Sight, node: Node): Gelu | undefined {
  const { g } = sight;
  const close = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6;
  /** t = 1 + erf(x/√2), of which x. */
  const bell = (name: string): Gelu | undefined => {
    const sum = madeBy(sight, name, 'Add');
    if (!sum) return undefined;
    for (const [e, one] of bothWays(sum)) {
      const erf = madeBy(sight, e, 'Erf');
      if (!erf || sight.scalar(one) !== 1) continue;
      const inner = scaled(sight, sight.producer(erf.inputs[0]!));
      if (inner && close(inner[1], Math.SQRT1_2))
        return { x: g.value(inner[0]), t: g.value(name), u: g.value(erf.inputs[0]!) };
    }
    return undefined;
  };
  const half = (name: string): string | undefined => {
    const inner = scaled(sight, sight.producer(name));
    return inner && close(inner[1], 0.5) ? inner[0] : undefined;
  };
  const product = (a: string, b: string): Gelu | undefined => {
    const t = bell(b);
    return t?.x.name === a ? t : undefined;
  };
  // ½ · (x t)
  const whole = scaled(sight, node);
  if (whole && close(whole[1], 0.5)) {
    const mul = madeBy(sight, whole[0], 'Mul');
    for (const [a, b] of mul ? bothWays(mul) : []) {
      const found = product(a, b);
      if (found) return found;
    }
  }
  // (½ x) · t and x · (½ t)
  for (const [a, b] of bothWays(node)) {
    const [halfA, halfB] = [half(a), half(b)];
    const found = (halfA && product(halfA, b)) ?? (halfB && product(a, halfB));
    if (found) return found;
  }
  return undefined;
}

/**
 * o = p·v with p = softmax(z) over the last axis, p read by nothing else. The row sums Σ_j p_ij ∂p_ij that softmax's gradient takes off are Σ_d o_id ∂o_id
 * (FlashAttention, arXiv:2205.14135, appendix B.4), over a head's width instead of all positions: ∂z = p (∂o vᵀ − Σ_d o ∂o).
 */
function attend(sight: Sight, node: Node): void {
  const { g } = sight;
  const softmax = madeBy(sight, node.inputs[0]!, 'Softmax');
  if (!softmax || sight.readers(softmax.outputs[0]!).length !== 1) return;
  if (g.outputs.some((o) => o.name === softmax.outputs[0])) return;
  const [z, p, v, o] = [softmax.inputs[0]!, node.inputs[0]!, node.inputs[1]!, node.outputs[0]!].map((name) =>
    g.value(name),
  ) as [Value, Value, Value, Value];
  const rank = p.shape.length;
  const axis = intAttr(softmax, 'axis', -1);
  const lead = (shape: readonly number[]): string => shape.slice(0, -2).join();
  if ((axis !== -1 && axis !== rank - 1) || v.shape.length !== rank || lead(v.shape) !== lead(p.shape))
    return;
  if (v.shape.at(-1)! > p.shape.at(-1)!) return;
  g.composite('attention', [z, v], o, (dy, wants) => {
    const dz = (): Value => {
      const rows = g.reduceSum(g.mul(dy, o), [rank - 1], true);
      return g.mul(g.sub(g.matMul(dy, g.mT(v)), rows), p);
    };
    return [wants[0] ? dz() : null, wants[1] ? g.matMul(g.mT(p), dy) : null];
  });
}
