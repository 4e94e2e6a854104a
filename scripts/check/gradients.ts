/** @file Graphs that compute a model's outputs and the gradients of L = Σ output·cotangent. */
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import { emitRotations } from '#src/oft/rotation/rotations.ts';
import { projectParameters } from '#src/oft/rotation/skew.ts';
import { builder } from '#src/ops/table.ts';
import { type Difference, insertDifferences } from './differences.ts';

/** Newton–Schulz rounds: enough for ‖Q‖₂ up to about 23 in float32. */
const ROUNDS = 20;

const isFloat = (v: Value): boolean => v.type.includes('float');

export interface GradientGraph {
  readonly graph: Graph;
  /** Name of the gradient among the graph's outputs, by what it is of; null: it is zero. */
  readonly gradients: ReadonlyMap<string, string | null>;
  /** The graph's input that takes the adapter's numbers; null: there is none. */
  readonly theta: string | null;
  /** The graph's input that takes an output's cotangent, by the output's name. */
  readonly cotangents: ReadonlyMap<string, string>;
}

interface Options {
  readonly strength: number;
  /** Weight differences that are added; they and a layout exclude each other. */
  readonly differences?: readonly Difference[];
  /** Which outputs have a cotangent; default: all that hold floats. */
  readonly cotangents?: ReadonlySet<string>;
}

/** The builder with the model in it, adapters or differences in place if given, and a cotangent input per output. */
function start(graph: Graph, layout: Layout | undefined, route: Route | 'auto', options: Options) {
  const g = builder();
  g.startFrom(graph);
  const given = layout && g.input('theta', 'float32', [layout.size]);
  const theta = layout && given && projectParameters(g, layout, given);
  const rotations =
    layout && theta && emitRotations(g, layout, theta, { rounds: ROUNDS, strength: options.strength });
  let differences: ReadonlyMap<string, Value> = new Map();
  if (layout && rotations) insertAdapters(g, graph, layout, rotations.layers, route);
  else differences = insertDifferences(g, graph, options.differences ?? [], options.strength);
  const outputs = graph.outputs.map((v) => g.value(v.name));
  const cotangents = new Map<string, Value>();
  for (const v of outputs)
    if (isFloat(v) && (options.cotangents?.has(v.name) ?? true))
      cotangents.set(v.name, g.input(`cotangent.${v.name}`, v.type, v.shape));
  const names = {
    theta: given?.name ?? null,
    cotangents: new Map([...cotangents].map(([output, v]) => [output, v.name])),
  };
  return { g, outputs, cotangents, rotations, differences, names };
}

/** Outputs, and gradients with respect to the adapter's numbers: the graph that training differentiates. */
export function adaptedBackward(
  graph: Graph,
  layout: Layout,
  options: Options,
): GradientGraph & { readonly residual: string | null } {
  const { g, outputs, cotangents, rotations, names } = start(graph, layout, 'auto', options);
  const segments = rotations!.segments;
  const found = backward(g, cotangents, segments);
  const parts = found.map((grad, i) => grad ?? zeros(g, segments[i]!));
  const gradient = g.output(g.concat(parts, 0), 'grad.adapter');
  for (const v of outputs) g.output(v);
  const residual = rotations!.residual && g.output(rotations!.residual).name;
  return { graph: g.build(), gradients: new Map([['adapter', gradient.name]]), ...names, residual };
}

const zeros = (g: Builder, like: Value): Value =>
  g.constant(tensor(like.type, like.shape, new Float32Array(like.shape.reduce((a, b) => a * b, 1))), 'zero');

/**
 * Outputs, and gradients with respect to float inputs, the named weights and the differences, with the adapter applied if a layout is given. A half-precision
 * weight behind Casts counts as the float32 values behind them.
 */
export function modelBackward(
  graph: Graph,
  weights: readonly string[],
  layout: Layout | undefined,
  options: Options,
): GradientGraph {
  const { g, outputs, cotangents, differences, names } = start(graph, layout, 'weight', options);
  const wanted: { label: string; values: Value[] }[] = graph.inputs
    .filter(isFloat)
    .map((v) => ({ label: `input.${v.name}`, values: [g.value(v.name)] }));
  for (const name of weights)
    if (graph.constants.has(name)) wanted.push({ label: `weight.${name}`, values: standIns(g, name) });
  for (const [path, value] of differences) wanted.push({ label: `difference.${path}`, values: [value] });
  const flat = wanted.flatMap((w) => w.values);
  const found = backward(g, cotangents, flat);
  const gradients = new Map<string, string | null>();
  let at = 0;
  for (const { label, values } of wanted) {
    const parts = found.slice(at, at + values.length).filter((v) => v !== null);
    at += values.length;
    if (parts.length === 0) gradients.set(label, null);
    else {
      // Several casts have one type: float32.
      const sum = parts.reduce((a, b) => g.add(a, b));
      gradients.set(label, g.output(sum, `grad.${label}`).name);
    }
  }
  for (const v of outputs) if (!g.outputs.includes(v)) g.output(v);
  return { graph: g.build(), gradients, ...names };
}

/** The values to differentiate by: the weight itself, or the float32 casts of a half-precision one where it has no other use. */
function standIns(g: Builder, name: string): Value[] {
  const weight = g.value(name);
  if (weight.type === 'float32' || weight.type === 'float64') return [weight];
  const users = g.nodes.filter((n) => n.inputs.includes(name));
  const casts = users.filter((n) => n.op === 'Cast').map((n) => g.value(n.outputs[0]!));
  return casts.length === users.length && casts.every((v) => v.type === 'float32') ? casts : [weight];
}
