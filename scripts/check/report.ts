/** @file What Rotune makes of a model, as plain data. */
import { prune } from '#src/graph/prune.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Model } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { proposeForBudget } from '#src/oft/blocks/budget.ts';
import type { ToolVerdict } from '#src/oft/modules/types.ts';
import { examineLayers, type Unadapted } from '#src/oft/layers/layers.ts';
import { type Obstacle, reachOf, withoutGradient } from '#src/oft/preflight/obstacles.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { preflight, type Preflight, type PreflightRow } from '#src/oft/preflight/preflight.ts';
import type { PlanProblem } from '#src/oft/plan/types.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import { predictedElsewhere } from '#src/runtime/placement.ts';
import type { BoundDim } from './dims.ts';
import { adaptedBackward } from './gradients.ts';

export interface NodeNote {
  readonly node: string;
  readonly op: string;
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
  /** Nodes that multiply by constants and are no layers. */
  readonly others: readonly Unadapted[];
  readonly totals: Preflight['totals'];
  readonly tools: readonly ToolVerdict[];
  /** What stands before the names of the Python model's modules. */
  readonly roots: Preflight['roots'];
  /** What `--budget` asked for; `proposal` null: no setting keeps to it. */
  readonly budget: {
    readonly asked: number;
    readonly proposal: { readonly plan: Plan; readonly stored: number; readonly words: string } | null;
  } | null;
  readonly problems: readonly PlanProblem[];
  readonly unsupported: readonly Obstacle[];
  /** Adapted layers that a gradient reaches past all obstacles. */
  readonly reached: readonly string[];
  /** Of the training step's graph. */
  readonly placement: { readonly nodes: number; readonly elsewhere: readonly NodeNote[] } | null;
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
  const { others } = examineLayers(graph);
  const { rows, totals, problems, tools, roots } = preflight(found, plan, { loraRank: lora, others });
  const layers = rows.filter(isAdapted);
  const planned = layers.map((row) => row.planned);
  const unsupported = withoutGradient(
    graph,
    planned.map((p) => p.layer),
  );
  const reach = reachOf(
    graph,
    planned.map((p) => p.layer),
  );
  const reached = planned.flatMap((p, i) => (reach[i] === 'turns' ? [p.layer.path] : []));
  const trainable = planned.length > 0 && !unsupported.some((u) => u.gradient);
  return {
    ...header(file, model, dims),
    inputs: graph.inputs,
    outputs: graph.outputs,
    layers,
    left: rows.filter((row) => !isAdapted(row)).map((row) => row.layer.path),
    others,
    totals,
    tools,
    roots,
    budget: budget === undefined ? null : { asked: budget, proposal: proposeForBudget(found, plan, budget) },
    problems,
    unsupported,
    reached,
    placement: trainable ? predictPlacement(graph, planned) : null,
  };
}

/** Nodes of a backward pass through all adapted layers, and which of them the WebGPU provider has no kernel for. */
function predictPlacement(graph: Graph, planned: readonly PlannedLayer[]): Report['placement'] {
  const layout = parameterLayout(planned);
  // Blocks of size 1 alone hold no number: there is no step.
  if (layout.size === 0) return null;
  const step = prune(adaptedBackward(graph, layout, { strength: 1 }).graph);
  return {
    nodes: step.nodes.length,
    elsewhere: predictedElsewhere(step).map(({ node, op }) => ({ node, op })),
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
