/** @file Carries out `--gradients`. */
import type { LycorisFile } from '#src/formats/lycoris.ts';
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Model } from '#src/onnx/model.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { parameterLayout, readParameters, writeParameters } from '#src/oft/parameters.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { UsageError } from './arguments.ts';
import { adaptedBackward, assertFree, modelBackward, RESIDUAL, THETA } from './gradients.ts';
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
  adapter: LycorisFile | undefined,
  strength: number,
): Promise<Map<string, Tensor>> {
  assertFree(graph);
  const { feeds, cotangents } = feedsFrom(given, graph);
  const layout = adapter && parameterLayout(adapter.layers.map((l) => l.layer));
  const out = new Map<string, Tensor>();

  const weights = weightNames(model);
  const whole = modelBackward(graph, weights, layout, { strength, cotangents });
  if (adapter && layout) {
    const given = new Map(adapter.layers.map((l) => [l.layer.layer.path, l]));
    const data = writeParameters(layout, given);
    const theta: Tensor = { type: 'float32', shape: [layout.size], data };
    for (const v of whole.graph.inputs) if (v.name.startsWith(THETA)) feeds[v.name] = theta;
    const turned = adaptedBackward(graph, layout, { strength, cotangents });
    for (const v of turned.graph.inputs) if (v.name.startsWith(THETA)) feeds[v.name] = theta;
    const results = await runGraph(prune(turned.graph), feeds);
    const residual = results[RESIDUAL] ? Number(results[RESIDUAL].data[0]) : 0;
    if (!(residual <= LARGEST_RESIDUAL))
      throw new UsageError(`The adapter's blocks are too large to be inverted (residual ${residual}).`);
    const gradients = readParameters(layout, results['grad.adapter']!.data as Float32Array);
    for (const { layer, blocks, rescale } of gradients) {
      const stem = `grad.adapter.${adapter.prefix}_${layer.layer.path.replaceAll('.', '_')}`;
      out.set(`${stem}.oft_blocks`, {
        type: 'float32',
        shape: [layer.count, layer.size, layer.size],
        data: blocks,
      });
      const shape = [layer.layer.out, 1, ...layer.layer.kernel.map(() => 1)];
      if (rescale) out.set(`${stem}.rescale`, { type: 'float32', shape, data: rescale });
    }
  }
  const results = await runGraph(prune(whole.graph), feeds);
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
  return out;
}
