/** @file What a model's file says by itself, before any dimension is bound: operators, weights, what is not taken. */
import { unknownOperators } from '#src/oft/preflight/obstacles.ts';
import type { Constant, Model, ModelGraph, Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { refusalOf, supportOf } from '#src/ops/checks/support.ts';
import type { InspectedModel, InspectedObstacle, InspectedOperator } from './types.ts';

/** Every node, those of branches included. */
export function* allNodes(graph: ModelGraph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === 'graph') yield* allNodes(attribute.value);
  }
}

/** Operators with how often they occur, most frequent first. */
export function operatorsOf(model: Model): InspectedOperator[] {
  const found = new Map<string, { node: Node; count: number }>();
  for (const node of allNodes(model.graph)) {
    const key = `${node.domain}::${node.op}`;
    const known = found.get(key);
    if (known) known.count++;
    else found.set(key, { node, count: 1 });
  }
  return [...found.values()]
    .sort((a, b) => b.count - a.count || (a.node.op < b.node.op ? -1 : 1))
    .map(({ node, count }) => {
      const reason = refusalOf(node);
      return {
        op: node.op,
        domain: node.domain,
        count,
        state: supportOf(node),
        ...(reason !== null && { reason }),
      };
    });
}

/** Nodes that Rotune does not take, by operator. */
export function refusedNodes(model: Model, operators: readonly InspectedOperator[]): InspectedObstacle[] {
  const nodes = new Map<string, string[]>();
  for (const { op, node } of unknownOperators(model.graph)) nodes.set(op, [...(nodes.get(op) ?? []), node]);
  return [...nodes].map(([op, names]) => ({
    op: op.replace('::', ' '),
    nodes: names,
    blocks: true,
    reason: operators.find((o) => (o.domain === '' ? o.op : `${o.domain}::${o.op}`) === op)?.reason ?? '',
  }));
}

const arithmetic = new Set(['int64', 'int32', 'bool', 'string']);

/** Constants that hold weights, or their quantised values: all but indices, shapes, masks and single numbers. */
export function weightsOf(model: Model): InspectedModel['weights'] {
  const types = new Map<string, number>();
  let tensors = 0;
  const take = ({ type, shape }: Constant): void => {
    if (arithmetic.has(type) || shape.length === 0) return;
    tensors++;
    types.set(type, (types.get(type) ?? 0) + sizeOf(shape));
  };
  const walk = (graph: ModelGraph): void => {
    for (const constant of graph.initializers.values()) take(constant);
    for (const node of graph.nodes)
      for (const attribute of Object.values(node.attributes))
        if (attribute.kind === 'graph') walk(attribute.value);
        else if (attribute.kind === 'tensor') take(attribute.value);
  };
  walk(model.graph);
  const list = [...types].map(([type, numbers]) => ({ type, numbers })).sort((a, b) => b.numbers - a.numbers);
  return { numbers: list.reduce((n, t) => n + t.numbers, 0), tensors, types: list };
}
