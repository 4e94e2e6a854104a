/** @file What Rotune makes of a model, as plain data. */
import { prune } from '#src/graph/prune.ts';
import { reads } from '#src/graph/topology.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Model, ModelGraph, Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { proposeForBudget } from '#src/oft/budget.ts';
import type { ToolVerdict } from '#src/oft/compatibility.ts';
import { parameterLayout } from '#src/oft/parameters.ts';
import { preflight, type Preflight, type PreflightRow } from '#src/oft/preflight.ts';
import type { PlanProblem } from '#src/oft/rules.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import { sequenceOperators } from '#src/ops/sequences.ts';
import { operatorKey, operators } from '#src/ops/table.ts';
import type { BoundDim } from './dims.ts';
import { adaptedBackward } from './gradients.ts';

export interface NodeNote {
  readonly node: string;
  readonly op: string;
}
export interface Unsupported extends NodeNote {
  /** A gradient must pass through it to reach an adapted layer. */
  readonly gradient: boolean;
  /** The operator is not known at all; otherwise only its gradient is missing. */
  readonly unknown: boolean;
}

export interface Report {
  readonly model: {
    readonly file: string;
    readonly producer: string;
    readonly irVersion: number;
    readonly opset: number | null;
    readonly domains: Readonly<Record<string, number>>;
    readonly nodes: number;
    /** Numbers in float initializers. */
    readonly parameters: number;
  };
  readonly dims: Readonly<Record<string, BoundDim>>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly layers: readonly (PreflightRow & { readonly planned: PlannedLayer })[];
  /** Paths of adaptable layers that rules or errors leave out. */
  readonly left: readonly string[];
  readonly totals: Preflight['totals'];
  readonly tools: readonly ToolVerdict[];
  /** What `--budget` asked for; `proposal` null: no setting keeps to it. */
  readonly budget: {
    readonly asked: number;
    readonly proposal: { readonly plan: Plan; readonly stored: number; readonly words: string } | null;
  } | null;
  readonly problems: readonly PlanProblem[];
  readonly unsupported: readonly Unsupported[];
  /** Of the training step's graph. */
  readonly placement: { readonly nodes: number; readonly elsewhere: readonly NodeNote[] } | null;
}

/** Operators that importing resolves without an entry in the table. */
const resolved = new Set(['Constant', 'Identity', 'Dropout', 'If', ...Object.keys(sequenceOperators)]);

/** Nodes of operators that Rotune does not know, or refuses by name, in branches too; whether one lies behind a layer's weight. */
export function unknownOperators(graph: ModelGraph, tainted = new Set<string>()): Unsupported[] {
  const found: Unsupported[] = [];
  for (const node of graph.nodes) {
    const weighted =
      ['MatMul', 'Gemm', 'Conv'].includes(node.op) && graph.initializers.has(node.inputs[1] ?? '');
    const reached = node.inputs.some((name) => tainted.has(name));
    if (weighted || reached) for (const name of node.outputs) tainted.add(name);
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === 'graph') found.push(...unknownOperators(attribute.value, tainted));
    const entry = operators[operatorKey(node)];
    const known = (entry && !entry.refused) || (node.domain === '' && resolved.has(node.op));
    if (!known)
      found.push({
        node: node.name || node.outputs[0] || '',
        op: operatorKey(node),
        gradient: reached,
        unknown: true,
      });
  }
  return found;
}

/** Nodes without a gradient rule, and whether one must pass: they depend on an adapted layer's output. */
export function withoutGradient(graph: Graph, planned: readonly PlannedLayer[]): Unsupported[] {
  const adapted = new Set(planned.flatMap((p) => p.layer.nodes));
  const tainted = new Set<string>();
  const found: Unsupported[] = [];
  for (const node of graph.nodes) {
    const operator = operators[operatorKey(node)];
    const reached = reads(node).some((name) => tainted.has(name));
    if (operator?.grad === undefined)
      found.push({ node: node.name, op: operatorKey(node), gradient: reached, unknown: false });
    if (!adapted.has(node.name) && (!reached || operator?.grad === 'none')) continue;
    for (const name of node.outputs) if (graph.values.get(name)?.type.includes('float')) tainted.add(name);
  }
  return found;
}

/** Nodes of the graph that the WebGPU provider has no kernel for. */
export function predictPlacement(graph: Graph): { nodes: number; elsewhere: NodeNote[] } {
  const value = (name: string): Value | null => (name === '' ? null : (graph.values.get(name) ?? null));
  const misses = (node: Node): boolean =>
    operators[operatorKey(node)]?.webgpu?.(
      node,
      node.inputs.map(value),
      node.outputs.map((name) => value(name) ?? { type: 'float32', shape: [] }),
    ) === false;
  return {
    nodes: graph.nodes.length,
    elsewhere: graph.nodes.filter(misses).map((n) => ({ node: n.name, op: operatorKey(n) })),
  };
}

export interface Asked {
  readonly plan: Plan;
  readonly lora: number;
  readonly budget: number | undefined;
}

const isAdapted = (row: PreflightRow): row is PreflightRow & { readonly planned: PlannedLayer } =>
  row.planned !== null;

/** The static graph's layers under a plan. */
export function describeModel(
  file: string,
  model: Model,
  dims: ReadonlyMap<string, BoundDim>,
  graph: Graph,
  found: readonly Layer[],
  { plan, lora, budget }: Asked,
): Report {
  const { rows, totals, problems, tools } = preflight(found, plan, { loraRank: lora });
  const layers = rows.filter(isAdapted);
  const planned = layers.map((row) => row.planned);
  const unsupported = withoutGradient(graph, planned);
  const trainable = planned.length > 0 && !unsupported.some((u) => u.gradient);
  return {
    ...header(file, model, dims),
    inputs: graph.inputs,
    outputs: graph.outputs,
    layers,
    left: rows.filter((row) => !isAdapted(row)).map((row) => row.layer.path),
    totals,
    tools,
    budget: budget === undefined ? null : { asked: budget, proposal: proposeForBudget(found, plan, budget) },
    problems,
    unsupported,
    placement: trainable
      ? predictPlacement(prune(adaptedBackward(graph, parameterLayout(planned), { strength: 1 }).graph))
      : null,
  };
}

/** What can be said where the model cannot be made static. */
export function header(
  file: string,
  model: Model,
  dims: ReadonlyMap<string, BoundDim>,
): Pick<Report, 'model' | 'dims'> {
  const { '': opset = null, ...domains } = Object.fromEntries(model.opsets) as Record<string, number>;
  const floats = [...model.graph.initializers.values()].filter((c) => c.type.includes('float'));
  return {
    model: {
      file,
      producer: model.producer,
      irVersion: model.irVersion,
      opset,
      domains,
      nodes: model.graph.nodes.length,
      parameters: floats.reduce((n, c) => n + sizeOf(c.shape), 0),
    },
    dims: Object.fromEntries(dims),
  };
}
