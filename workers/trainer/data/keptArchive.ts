/** @file Prepared data as a ZIP archive, written item by item: pictures as PNG, what was encoded as safetensors. */
import { encodePng } from '#src/formats/files/png.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { NewZip } from '#src/platform/zip.ts';
import type { KeptItem, PreparedStore } from '#src/store/prepared.ts';
import { DataError } from '#src/tasks/files.ts';
import { opaque } from './keeping.ts';

const typeOf = (array: ArrayBufferView): Tensor['type'] =>
  array instanceof Float32Array
    ? 'float32'
    : array instanceof Int32Array
      ? 'int32'
      : array instanceof BigInt64Array
        ? 'int64'
        : 'uint8';

function fileOf(item: KeptItem): {
  readonly folder: string;
  readonly ending: string;
  readonly bytes: Uint8Array;
} {
  if (item.kind === 'picture') {
    const { width, height, rgb } = item;
    return { folder: 'pictures', ending: 'png', bytes: encodePng({ width, height, rgba: opaque(rgb) }) };
  }
  const tensors = new Map(
    Object.entries(item.arrays).map(([name, data]): [string, Tensor] => [
      name,
      { type: typeOf(data), shape: [data.length], data },
    ]),
  );
  return {
    folder: 'encoded',
    ending: 'safetensors',
    bytes: writeSafetensors(tensors, new Map([['from', item.name]])),
  };
}

/** Throws DataError where nothing is kept of that name. */
export async function keptArchive(
  store: PreparedStore,
  set: string,
): Promise<{ readonly name: string; readonly blob: Blob }> {
  const zip = new NewZip();
  const taken = new Map<string, number>();
  for await (const item of store.items(set)) {
    const { folder, ending, bytes } = fileOf(item);
    const stem = `${folder}/${item.name.replace(/\.[^./]*$/, '').replaceAll('..', '_')}`;
    // A picture and its mirror image, or every batch of captions, have one name.
    const before = taken.get(stem) ?? 0;
    taken.set(stem, before + 1);
    await zip.add(`${stem}${before === 0 ? '' : `-${before + 1}`}.${ending}`, bytes);
  }
  if (taken.size === 0)
    throw new DataError(`No prepared data of ${set} are kept here. Give the data themselves.`);
  return { name: `${set.replace(/[/\\:*?"<>|]/g, '_')}-prepared.zip`, blob: await zip.close() };
}
