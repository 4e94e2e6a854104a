/** @file Nodes that hand their input on unchanged: no-op reshapes and casts, x + 0, x · 1. */
import type { Value, ValueType } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';

/** What is known of constants while a graph is being made. */
export interface Knowledge {
  constant(value: Value): Tensor | undefined;
  /** The number that the value holds everywhere, where it is no weight that training could change. */
  fill(value: Value): number | undefined;
}

/** Operators that change nothing where the output has the input's type and shape. */
const layout = new Set(['Reshape', 'Expand', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast', 'CastLike', 'Tile']);

/** The operand beside which the other one passes unchanged. */
const neutral: Readonly<Record<string, { readonly value: number; readonly either: boolean }>> = {
  Add: { value: 0, either: true },
  Sub: { value: 0, either: false },
  Mul: { value: 1, either: true },
  Div: { value: 1, either: false },
  Pow: { value: 1, either: false },
};

/** The input that the node's output equals, if there is one. */
export function handedOn(
  node: Node,
  inputs: readonly (Value | null)[],
  output: ValueType,
  known: Knowledge,
): Value | undefined {
  const same = (x: Value | null | undefined): x is Value =>
    x?.type === output.type &&
    x.shape.length === output.shape.length &&
    x.shape.every((d, i) => d === output.shape[i]);
  const [a, b] = inputs;
  const rule = neutral[node.op];
  if (rule) {
    if (same(a) && b && known.fill(b) === rule.value) return a;
    return rule.either && same(b) && a && known.fill(a) === rule.value ? b : undefined;
  }
  if (node.op === 'Concat') {
    // An empty cache of keys and values adds nothing.
    const filled = inputs.filter((v) => v && v.shape.every((d) => d > 0));
    if (filled.length === 1 && same(filled[0])) return filled[0];
  }
  if (!same(a)) return undefined;
  if (layout.has(node.op)) return a;
  if (node.op !== 'Slice') return undefined;
  const steps = inputs[4];
  const values = steps && known.constant(steps);
  return !steps || (values && numbersOf(values).every((s) => s > 0)) ? a : undefined;
}

/** Operators that make a uniform tensor of uniform ones, elementwise or by moving elements (their first input's). */
const pointwise = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Neg',
  'Where',
  'Cast',
  'Sqrt',
  'Reciprocal',
  'Exp',
]);
const moving = new Set([
  'Expand',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Transpose',
  'Flatten',
  'Tile',
  'Slice',
]);

/** Which inputs decide the number that fills a node's output; undefined: it is not uniform in general. */
export function fillingInputs(node: Node): readonly number[] | undefined {
  if (pointwise.has(node.op)) return node.inputs.map((_, i) => i);
  return moving.has(node.op) ? [0] : undefined;
}
