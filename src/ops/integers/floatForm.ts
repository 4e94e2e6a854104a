/**
 * @file Models that compute on whole numbers (dynamically quantised, QDQ, QLinear…, ONNX Runtime's fusions of them) as float models of their dequantised
 * weights, which stay stored as they are. One rewriting of the file's graph, before any size is bound: import, adapters and merging see the same.
 */
import { reads } from '#src/graph/topology.ts';
import type { Model, ModelGraph, Node } from '#src/onnx/model.ts';
import { elementwise } from './elementwise.ts';
import { moving } from './moving.ts';
import {
  convInteger,
  dynamicQuantizeMatMul,
  matMulInteger,
  matMulIntegerToFloat,
  qAttention,
  qGemm,
  qLinearConv,
  qLinearMatMul,
} from './products.ts';
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from './rounding.ts';
import { keyOf, type Rewrite, type Shared, Walk } from './walk.ts';

const contrib: Readonly<Record<string, Rewrite>> = {
  ...elementwise,
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
  MatMulIntegerToFloat: matMulIntegerToFloat,
  QAttention: qAttention,
  QGemm: qGemm,
  QLinearConv: qLinearConv,
};

/** Operators that compute on whole numbers, each rewritten in float. */
const integer: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['ConvInteger', convInteger],
  ['MatMulInteger', matMulInteger],
  ['QLinearConv', qLinearConv],
  ['QLinearMatMul', qLinearMatMul],
  ...Object.entries(contrib).map(([op, rewrite]) => [`com.microsoft::${op}`, rewrite] as const),
]);

/** Operators that round activations. */
const rounding: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['DynamicQuantizeLinear', dynamicQuantizeLinear],
  ['QuantizeLinear', quantizeLinear],
  ['com.microsoft::QuantizeLinear', quantizeLinear],
]);

const rewrites: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ...moving,
  ...integer,
  ...rounding,
  ['DequantizeLinear', dequantizeLinear],
  ['com.microsoft::DequantizeLinear', dequantizeLinear],
]);

/** Operators that no static graph holds, by the keys of the table: import writes them in float. */
export const integerOperators: ReadonlySet<string> = new Set([
  ...integer.keys(),
  'com.microsoft::NhwcMaxPool',
]);

const inner = (node: Node): ModelGraph[] =>
  Object.values(node.attributes).flatMap((a) => (a.kind === 'graph' ? [a.value] : []));

/** Whether a graph computes on whole numbers, or rounds on the way: more than stored weights. */
export const isRounded = (graph: ModelGraph): boolean =>
  graph.nodes.some(
    (node) =>
      integer.has(keyOf(node)) ||
      (rounding.has(keyOf(node)) && !graph.initializers.has(node.inputs[0] ?? '')) ||
      inner(node).some(isRounded),
  );

function namesIn(graph: ModelGraph, names = new Set<string>()): Set<string> {
  for (const name of graph.initializers.keys()) names.add(name);
  for (const { name } of [...graph.inputs, ...graph.outputs, ...(graph.given ?? [])]) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [node.name, ...node.outputs]) names.add(name);
    for (const g of inner(node)) namesIn(g, names);
  }
  return names;
}

/** The graph without nodes and constants that lead nowhere: scales that cancelled, and what computed them. */
function read(graph: ModelGraph): ModelGraph {
  const wanted = new Set(graph.outputs.map((o) => o.name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((o) => wanted.has(o))) continue;
    nodes.push(node);
    for (const name of reads(node)) wanted.add(name);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => wanted.has(name)));
  return { ...graph, nodes: nodes.reverse(), initializers };
}

const known = new WeakMap<Model, Model>();

/**
 * The model in float: every product of whole numbers is one of the real numbers that they stand for, with the weights behind DequantizeLinear.
 * Rounding of activations is dropped, or kept where the model says so; that of weights is in their numbers. A model that does not round is handed back as it is.
 *
 * @throws GraphError for what cannot be written in float, and for scales that are none
 */
export function floatForm(model: Model): Model {
  const before = known.get(model);
  if (before) return before;
  let form = model;
  if (isRounded(model.graph)) {
    const shared: Shared = {
      version: model.opsets.get('') ?? 21,
      rounding: model.rounding ?? 'drop',
      names: namesIn(model.graph),
      rewrites,
    };
    form = { ...model, graph: read(new Walk(model.graph, shared).run()) };
  }
  known.set(model, form);
  return form;
}
