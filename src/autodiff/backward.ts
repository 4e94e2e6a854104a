/** @file Reverse mode: walks the nodes backwards once, calls one rule per node, adds up cotangents, sums broadcast ones down. */
import type { Builder } from '#src/graph/builder.ts';
import { GraphError, reportIt, type Value } from '#src/graph/types.ts';
import { gradientObstacle } from '#src/ops/checks/support.ts';
import { operatorKey, operators } from '#src/ops/table.ts';
import { unbroadcast } from './unbroadcast.ts';

/**
 * Emits the gradient of Σ cotangent·output with respect to `wrt` into the builder.
 *
 * @param cotangents by value name; each has its value's shape. A scalar loss gets the constant 1.
 * @param wrt values to differentiate by: inputs, constants or any value in between.
 * @returns one gradient per entry of `wrt`, null where the outputs do not depend on it.
 * @throws GraphError where a gradient must pass an operator without a rule; it names node, operator and the way out.
 */
export function backward(
  g: Builder,
  cotangents: ReadonlyMap<string, Value>,
  wrt: readonly Value[],
): (Value | null)[] {
  const nodes = [...g.nodes];
  const wants = dependents(g, nodes, new Set(wrt.map((v) => v.name)));
  const pending = new Map<string, Value[]>();
  const add = (name: string, grad: Value | null | undefined): void => {
    if (!grad || !wants.has(name)) return;
    const list = pending.get(name);
    if (list) list.push(grad);
    else pending.set(name, [grad]);
  };
  const total = (name: string): Value | null => {
    const list = pending.get(name);
    if (!list) return null;
    const sum = list.reduce((a, b) => g.add(a, b));
    pending.set(name, [sum]);
    return sum;
  };
  for (const [name, cotangent] of cotangents) add(name, unbroadcast(g, cotangent, g.value(name)));

  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((o) => pending.has(o))) continue;
    const grads = node.outputs.map((o) => (o === '' ? null : total(o)));
    const composite = g.composites.get(node.outputs[0]!);
    if (composite) {
      const wanted = composite.inputs.map((v) => wants.has(v.name));
      if (!wanted.some(Boolean)) continue;
      g.within(`backward ${composite.label}`, () => {
        const results = composite.grad(grads[0]!, wanted);
        composite.inputs.forEach(
          (v, k) => wanted[k] && add(v.name, check(g, composite.label, v, results[k])),
        );
      });
      continue;
    }
    const inputs = node.inputs.map((n) => (n === '' ? null : g.value(n)));
    const wanted = inputs.map((v) => v !== null && wants.has(v.name));
    if (!wanted.some(Boolean)) continue;
    const rule = operators[operatorKey(node)]?.grad;
    if (rule === 'none') continue;
    if (!rule) throw new GraphError(gradientObstacle(node));
    const outputs = node.outputs.map((o) =>
      o === '' ? { name: '', type: 'float32' as const, shape: [] } : g.value(o),
    );
    g.within(`backward ${node.op}`, () => {
      const results = rule({
        g,
        node,
        inputs,
        outputs,
        grads,
        wants: wanted,
        constant: (k) => g.constantValue(inputs[k]),
      });
      // Gradients nobody wants are not even summed down.
      inputs.forEach((v, k) => wanted[k] && add(v!.name, check(g, node.name, v!, results[k])));
    });
  }
  return wrt.map((v) => total(v.name));
}

function check(g: Builder, where: string, value: Value, grad: Value | null | undefined): Value | null {
  if (!grad) return null;
  if (grad.type !== value.type)
    throw new GraphError(
      `Gradient rule of ${where}: gives ${grad.type} for the ${value.type} input ${value.name}.`,
      { cure: reportIt },
    );
  return unbroadcast(g, grad, value);
}

const differentiable = new Set(['float32', 'float16', 'bfloat16', 'float64']);

/**
 * Names of all values that depend on one of the seeds, seeds included. Operators with grad 'none' cut the dependence, and so do integers,
 * unless they come from an operator without a rule: rounded activations must not pass for constants.
 */
function dependents(g: Builder, nodes: Builder['nodes'], seeds: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(seeds);
  for (const node of nodes) {
    const composite = g.composites.get(node.outputs[0]!);
    const reached = composite
      ? composite.inputs.some((v) => found.has(v.name))
      : node.inputs.some((n) => found.has(n));
    const rule = composite?.grad ?? operators[operatorKey(node)]?.grad;
    if (!reached || rule === 'none') continue;
    for (const o of node.outputs)
      if (o !== '' && (rule === undefined || differentiable.has(g.value(o).type))) found.add(o);
  }
  return found;
}
