/** @file Softmax and Sigmoid as some exporters write them out. */
import type { Node } from '#src/onnx/model.ts';

export interface Written {
  readonly op: 'Softmax' | 'Sigmoid';
  /** The logits. */
  readonly input: string;
  /** The constant of a Softmax's axis; null: a Sigmoid. */
  readonly axes: string | null;
}

/**
 * eˣ / Σ eˣ, where x may have its maximum taken off already; 1 / (1 + e⁻ˣ). null: `node` is neither.
 * @param one whether a value is the constant 1
 */
export function writtenOut(
  node: Node,
  producers: ReadonlyMap<string, Node>,
  one: (name: string) => boolean,
): Written | null {
  if (node.op !== 'Div') return null;
  const [top = '', below = ''] = node.inputs;
  const [exp, sum] = [producers.get(top), producers.get(below)];
  if (exp?.op === 'Exp' && sum?.op === 'ReduceSum' && sum.inputs[0] === top)
    return { op: 'Softmax', input: exp.inputs[0]!, axes: sum.inputs[1] ?? '' };
  if (!one(top) || sum?.op !== 'Add' || !sum.inputs.some(one)) return null;
  const power = sum.inputs.map((name) => producers.get(name)).find((made) => made?.op === 'Exp');
  const negative = power && producers.get(power.inputs[0]!);
  return negative?.op === 'Neg' ? { op: 'Sigmoid', input: negative.inputs[0]!, axes: null } : null;
}
