/** @file What Rotune can do with an operator by its name: pass a gradient, do without one, or not take it at all. */
import type { Node } from '#src/onnx/model.ts';
import { integerOperators } from '../integers/floatForm.ts';
import { floatModel } from '../quantised/quantise.ts';
import { sequenceOperators } from '../shapes/sequences.ts';
import { operatorKey, operators } from '../table.ts';

/**
 * gradient: one passes. none needed: constant almost everywhere, on integers, or resolved at import; a gradient stops there without harm.
 * no gradient: known, but a model is trainable only where none must pass. unsupported: no model with it is taken.
 */
export type Support = 'gradient' | 'none needed' | 'no gradient' | 'unsupported';

/** Operators that importing resolves without an entry in the table. */
export const resolved: ReadonlySet<string> = new Set([
  ...Object.keys(sequenceOperators),
  'Constant',
  'Identity',
  'Dropout',
  'If',
]);

export function supportOf(node: Node): Support {
  const key = operatorKey(node);
  if (integerOperators.has(key)) return 'gradient';
  const entry = operators[key];
  if (entry?.refused) return 'unsupported';
  if (node.domain === '' && resolved.has(node.op))
    return ['Constant', 'If'].includes(node.op) ? 'none needed' : 'gradient';
  if (!entry) return 'unsupported';
  if (entry.grad === 'none') return 'none needed';
  return entry.grad || entry.expand ? 'gradient' : 'no gradient';
}

/** Why a model with this operator is not taken, and the way out; null: it is. */
export function refusalOf(node: Node): string | null {
  if (supportOf(node) !== 'unsupported') return null;
  return (
    operators[operatorKey(node)]?.refused ??
    'Rotune does not know this operator. Export the model without it, or ask for it in an issue.'
  );
}

const rounding = new Set(['QuantizeLinear', 'DynamicQuantizeLinear']);

/**
 * Why no gradient passes a node that has no rule, and what helps. That layers before it can be left out helps only where others lie behind
 * it: rounded activations lie between most layers of a model that has some.
 * @param behind paths of layers that a gradient reaches all the same; undefined: not known
 */
export function gradientObstacle(
  node: { readonly op: string; readonly name: string },
  behind?: readonly string[],
): string {
  const name = node.op.replace(/^.*::/, '');
  const rest =
    behind && behind.length > 0
      ? ` Or train only the ${behind.length === 1 ? 'layer' : `${behind.length} layers`} behind it (${behind.slice(0, 3).join(', ')}${behind.length > 3 ? ' …' : ''}): skip the others by a rule.`
      : '';
  if (rounding.has(name))
    return `${name} ${node.name} rounds what passes through it, and rounding has no gradient. ${floatModel}${rest}`;
  return `${name} ${node.name} has no gradient, and one must pass through it. Export the model without this operator.${rest}`;
}
