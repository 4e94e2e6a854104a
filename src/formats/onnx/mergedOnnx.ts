/** @file The model itself with rotated weights, as an ONNX file that any runtime loads. */
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import type { LayerParameters, WholeValues } from '#src/oft/rotation/parameters.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model } from '#src/onnx/model.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import { floatForm } from '#src/ops/integers/floatForm.ts';
import type { MergeOptions, WrittenFile } from '../adapters/adapterTypes.ts';
import { checkNumbers } from '../adapters/blockNumbers.ts';
import { besideType, turnBeside } from './besideLayer.ts';
import { inOwnOpset } from './olderScales.ts';
import { GraphEdit } from './onnxEdit.ts';
import { withWhole } from './onnxHead.ts';
import { externalised, halved } from './onnxStorage.ts';
import { flippedAt, noWeight, seenValues, weightInput, weightUses, nameInFile } from './onnxWeights.ts';

const modelFile = 'model.onnx';
const dataFile = 'model.onnx.data';
/** Beyond this many bytes of weights they go to a file of their own: a protobuf file ends at 2 GiB. */
const LARGEST_INLINE = 1e9;

/** Whether the numbers leave the weight as it is. */
const idle = ({ blocks, rescale }: LayerParameters): boolean =>
  blocks.every((x) => x === 0) && (rescale === undefined || rescale.every((x) => x === 1));

/**
 * The model with every adapted layer's weight merged, as the layer's nodes see it: a new initializer replaces what they read, with
 * whatever stands between. What nothing reads any more is left out. A layer that did not move stays. A weight of few bits stays as it is stored, and the
 * rotation becomes nodes beside it (besideLayer.ts).
 *
 * Weights that were trained as they are (`heads`) take their initializers' places at any strength; names of classes go into the metadata
 * entry `labels`, a JSON list.
 *
 * A model that computes on whole numbers is written in float, as it was trained: its other weights stay stored as they are.
 *
 * Weights keep the element type that the node computes with. `precision` float16 stores float32 matrices and kernels as float16 behind a Cast.
 *
 * @returns model.onnx, and model.onnx.data where weights are external
 * @throws ModelError for a layer that the model does not have.
 */
export function writeMergedOnnx(
  layers: readonly LayerParameters[],
  { model: before, strength = 1, precision = 'float32', external, classes }: MergeOptions,
  heads: readonly WholeValues[] = [],
): WrittenFile[] {
  const model = withWhole(floatForm(before), heads);
  const usesOf = weightUses(model);
  const edit = new GraphEdit(model.graph);
  for (const parameters of layers) {
    checkNumbers(parameters);
    const { layer } = parameters.layer;
    const uses = usesOf(layer);
    if (uses.length === 0) throw noWeight(layer);
    if (idle(parameters) || strength === 0) continue;
    const byPath = new Map<string, typeof uses>();
    for (const use of uses) {
      const type = besideType(use, parameters.layer);
      if (type !== null) {
        turnBeside(edit, use, parameters, strength, type);
        continue;
      }
      const key = `${use.node.op}|${use.seen}`;
      byPath.set(key, [...(byPath.get(key) ?? []), use]);
    }
    for (const same of byPath.values()) {
      const seen = seenValues(layer, same[0]!);
      const weight = flippedAt(same[0]!, layer, Float32Array.from(seen.data), 'to torch');
      const merged = flippedAt(same[0]!, layer, mergeWeight(parameters, weight, strength), 'from torch');
      edit.replaceWeight(
        same.map(({ node }) => ({ node, input: weightInput(layer) })),
        {
          // A piece of a tensor, or several as one, is no longer that tensor.
          name: layer.made?.whole === false ? `${layer.path}.weight` : nameInFile(layer, layer.initializer),
          path: layer.path,
        },
        constantOf(tensor(seen.type, seen.shape, merged)),
      );
    }
  }
  const graph = edit.finish();
  const whole: Model = inOwnOpset({
    ...model,
    // Before IR 4 every initializer was a graph input too.
    irVersion: Math.max(4, model.irVersion),
    metadata: classes ? new Map([...model.metadata, ['labels', JSON.stringify(classes)]]) : model.metadata,
    graph: precision === 'float16' ? halved(graph) : graph,
  });
  const bytes = [...whole.graph.initializers.values()].reduce(
    (n, c) => n + (c.data.kind === 'inline' ? c.data.bytes.length : 0),
    0,
  );
  if (!(external ?? bytes > LARGEST_INLINE)) return [{ path: modelFile, bytes: encodeModel(whole) }];
  const { graph: outside, data } = externalised(whole.graph, dataFile);
  return [
    { path: modelFile, bytes: encodeModel({ ...whole, graph: outside }) },
    { path: dataFile, bytes: data },
  ];
}
