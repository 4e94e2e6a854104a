/** @file Carries out `--gradients`. */
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Model } from '#src/onnx/model.ts';
import { type Tensor } from '#src/onnx/tensor.ts';
import { parameterLayout, readParameters, writeParameters } from '#src/oft/rotation/parameters.ts';
import type { Layer } from '#src/oft/types.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { inFileNumbers, type OpenedAdapter, type Stored } from './adapter.ts';
import { UsageError } from './arguments.ts';
import { turned } from './differences.ts';
import { adaptedBackward, type GradientGraph, modelBackward } from './gradients.ts';
import { feedsFrom, widened, zeroTensor } from './tensors.ts';

/** ‖I − AX‖ above which the float32 inverses are not to be trusted. */
const LARGEST_RESIDUAL = 1e-3;

/** Names of the model's float initializers of rank ≥ 2. */
const weightNames = (model: Model): string[] =>
  [...model.graph.initializers]
    .filter(([, c]) => c.type.includes('float') && c.shape.length >= 2)
    .map(([n]) => n);

/** Everything that OUT receives. */
export async function computeGradients(
  model: Model,
  graph: Graph,
  given: ReadonlyMap<string, Tensor>,
  adapter: OpenedAdapter | undefined,
  strength: number,
): Promise<Map<string, Tensor>> {
  const { feeds, cotangents } = feedsFrom(given, graph);
  // At strength 0 the model is the untouched one, though LyCORIS would still apply the whole rescale.
  const applied = strength === 0 ? undefined : adapter;
  const asked = applied?.layers.length ? parameterLayout(applied.layers.map((l) => l.layer)) : undefined;
  // Blocks of size 1 alone hold no number and turn nothing.
  const layout = asked && asked.size > 0 ? asked : undefined;
  const differences = adapter ? adapter.given : [];
  const out = new Map<string, Tensor>();

  const weights = weightNames(model);
  const wanted = { strength, cotangents: new Set(cotangents.keys()) };
  const whole = modelBackward(graph, weights, layout, { ...wanted, differences });
  let theta: Tensor | null = null;
  const run = (made: GradientGraph): Promise<Record<string, Tensor>> =>
    runGraph(prune(made.graph), fed(made, feeds, cotangents, theta));
  if (adapter && layout) {
    const values = new Map(adapter.layers.map((l) => [l.layer.layer.path, l]));
    const data = writeParameters(layout, values);
    theta = { type: 'float32', shape: [layout.size], data };
    const own = adaptedBackward(graph, layout, wanted);
    const results = await run(own);
    const residual = own.residual === null ? 0 : Number(results[own.residual]!.data[0]);
    if (!(residual <= LARGEST_RESIDUAL))
      throw new UsageError(
        `The adapter's blocks are too large to be inverted (residual ${residual}). Train it again with a lower learning rate.`,
      );
    const found = readParameters(layout, results[own.gradients.get('adapter')!]!.data as Float32Array);
    for (const { layer, blocks, rescale } of found) {
      put(out, adapter, layer.layer, 'blocks', (key) => inFileNumbers(adapter, key, layer, blocks));
      if (rescale) put(out, adapter, layer.layer, 'rescale', () => rescale);
    }
  } else
    for (const { layer, blocks, rescale } of adapter?.layers ?? []) {
      put(out, adapter!, layer.layer, 'blocks', () => blocks.map(() => 0));
      if (rescale) put(out, adapter!, layer.layer, 'rescale', () => rescale.map(() => 0));
    }
  const results = await run(whole);
  for (const v of graph.outputs) out.set(`output.${v.name}`, results[v.name]!);
  for (const v of graph.inputs)
    if (v.type.includes('float')) {
      const name = whole.gradients.get(`input.${v.name}`);
      out.set(`grad.input.${v.name}`, name ? widened(results[name]!, name) : zeroTensor(v.shape));
    }
  for (const weight of weights) {
    const name = whole.gradients.get(`weight.${weight}`);
    const { shape } = model.graph.initializers.get(weight)!;
    out.set(`grad.weight.${weight}`, name ? widened(results[name]!, name) : zeroTensor(shape));
  }
  for (const { layer, values } of differences) {
    const name = whole.gradients.get(`difference.${layer.path}`);
    const found = name ? (results[name]!.data as Float32Array) : values.map(() => 0);
    put(out, adapter!, layer, 'difference', () => turned(layer, found, 'to torch'));
  }
  return out;
}

/** What the graph is fed with: the model's inputs, and its own under the names that they have beside the model's. */
function fed(
  made: GradientGraph,
  feeds: Readonly<Record<string, Tensor>>,
  cotangents: ReadonlyMap<string, Tensor>,
  theta: Tensor | null,
): Record<string, Tensor> {
  const own = [...made.cotangents].map(([output, input]): [string, Tensor] => [
    input,
    cotangents.get(output)!,
  ]);
  if (made.theta !== null && theta) own.push([made.theta, theta]);
  return { ...feeds, ...Object.fromEntries(own) };
}

/** Adds a gradient under the file's own key and in its shape. */
function put(
  out: Map<string, Tensor>,
  { keys, tensors }: OpenedAdapter,
  layer: Layer,
  stored: Stored,
  gradient: (key: string) => Float32Array,
): void {
  const key = keys.get(layer.path)?.[stored];
  const shape = key === undefined ? undefined : tensors.get(key)?.shape;
  if (key !== undefined && shape)
    out.set(`grad.adapter.${key}`, { type: 'float32', shape, data: gradient(key) });
}
