/** @file What of a bound model can be trained, and where its step would run. */
import { type Graph, GraphError } from '#src/graph/types.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { examineLayers, type Unadapted } from '#src/oft/layers/layers.ts';
import { type Obstacle, reachOf, withoutGradient } from '#src/oft/preflight/obstacles.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { compileTraining } from '#src/program/training.ts';
import { predictedElsewhere } from '#src/runtime/placement.ts';
import type { InspectedLayer, InspectedObstacle, InspectedPlacement } from './types.ts';

const plan: Plan = { ...defaultSettings, rules: [] };
const optimiser = {
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
  accumulate: 1,
  blockwiseRate: false,
} as const;

export interface Trained {
  readonly layers: readonly InspectedLayer[];
  readonly obstacles: readonly InspectedObstacle[];
  /** Nodes that multiply by constants and are no layers. */
  readonly others: readonly Unadapted[];
  readonly placement: InspectedPlacement;
  /** Why no step could be compiled though layers can turn; null: one was. */
  readonly error: GraphError | null;
}

/** Sum over the float outputs of their mean square: a loss that reaches whatever any loss on them reaches. */
function anyLoss(g: Builder, outputs: ReadonlyMap<string, Value>): LossSum {
  const terms: Value[] = [];
  for (const output of outputs.values()) {
    if (!output.type.includes('float') || sizeOf(output.shape) === 0) continue;
    const x = output.type === 'float32' ? output : g.cast(output, 'float32');
    const flat = g.reshape(x, [sizeOf(x.shape)]);
    terms.push(g.reduceMean(g.mul(flat, flat), [0]));
  }
  const [first, ...rest] = terms;
  if (!first)
    throw new GraphError(
      'The model has no output of floating-point numbers to compare with anything. Export it with the scores or values that it computes as an output.',
    );
  return meanOver(
    g,
    rest.reduce((sum, term) => g.add(sum, term), first),
  );
}

/** Looks for layers, walks the gradient's way, and compiles a training step with the default plan on all that can turn. */
export function examine(graph: Graph): Trained {
  const { layers: found, others } = examineLayers(graph);
  const reach = reachOf(graph, found);
  const layers = found.map((layer, i) => ({ ...layer, reach: reach[i]! }));
  const obstacles = withoutGradient(graph, found).filter((o) => o.gradient);
  const turning = layers.filter((l) => l.reach === 'turns');
  const { step, error } = compileStep(graph, turning);
  const looked = step ?? lowerGraph(graph);
  return {
    layers,
    obstacles: [...grouped(obstacles), ...unadapted(others)],
    others,
    placement: {
      of: step ? 'step' : 'model',
      nodes: looked.nodes.length,
      elsewhere: predictedElsewhere(looked).map(({ node, op, reason }) => ({ node, op, reason })),
    },
    error,
  };
}

function compileStep(
  graph: Graph,
  layers: readonly Layer[],
): { step: Graph | null; error: GraphError | null } {
  const { planned } = planLayers(layers, plan);
  if (planned.length === 0) return { step: null, error: null };
  try {
    const program = compileTraining({ graph, layout: parameterLayout(planned), loss: anyLoss, optimiser });
    return { step: program.stages[0]?.graph ?? null, error: null };
  } catch (error) {
    if (error instanceof GraphError) return { step: null, error };
    throw error;
  }
}

function grouped(obstacles: readonly Obstacle[]): InspectedObstacle[] {
  const nodes = new Map<string, string[]>();
  for (const { op, node } of obstacles) nodes.set(op, [...(nodes.get(op) ?? []), node]);
  return [...nodes].map(([op, names]) => ({
    op: op.replace('::', ' '),
    nodes: names,
    blocks: true,
    reason:
      'No gradient passes through it: the layers before it stay as they are. Export the model without it to train those too.',
  }));
}

/** Nodes that are no layers, by operator and reason. */
function unadapted(others: readonly Unadapted[]): InspectedObstacle[] {
  const groups = new Map<
    string,
    { readonly op: string; readonly reason: string; readonly nodes: string[] }
  >();
  for (const { op, reason, node } of others) {
    const key = `${op}: ${reason}`;
    const group = groups.get(key) ?? { op, reason: `No layer: ${reason}.`, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({ ...group, blocks: false }));
}
