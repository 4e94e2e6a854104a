/** @file A safetensors file as kohya's trainers and LyCORIS write them: tensors under the layers' names, and metadata on the network. */
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { checkNumbers } from '../blockNumbers.ts';
import { kohyaMetadata, type LycorisMeta } from '../lycoris/lycorisMeta.ts';
import { fileNames } from '../names.ts';
import { writeSafetensors } from '../../files/safetensors.ts';

/** The side of the largest block: what is recorded as the network's dim where nothing else was asked. */
export const largestBlock = (planned: readonly PlannedLayer[]): number =>
  Math.max(1, ...planned.map((p) => p.size));

/**
 * @param format whose names are written
 * @param tensorsOf of one layer, by what stands behind its name
 * @throws FormatError where lengths do not fit, or two layers would get one name.
 */
export async function kohyaFile(
  format: Parameters<typeof fileNames>[0],
  layers: readonly LayerParameters[],
  meta: LycorisMeta,
  network: { readonly module: string; readonly dim: number; readonly args: Readonly<Record<string, string>> },
  tensorsOf: (parameters: LayerParameters) => Readonly<Record<string, Tensor>>,
): Promise<Uint8Array> {
  const names = fileNames(
    format,
    layers.map((l) => l.layer.layer),
    meta.prefix,
  );
  const tensors = new Map<string, Tensor>();
  for (const parameters of layers) {
    checkNumbers(parameters);
    const stem = names.get(parameters.layer.layer)!;
    for (const [parameter, t] of Object.entries(tensorsOf(parameters)))
      tensors.set(`${stem}.${parameter}`, t);
  }
  return writeSafetensors(tensors, await kohyaMetadata(tensors.values(), meta, network));
}
