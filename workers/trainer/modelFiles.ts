/** @file ONNX files of a set, decoded with the files beside them that hold their weights. */
import { decodeModel } from '#src/onnx/decode.ts';
import { externalFiles, loadExternal } from '#src/onnx/external.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { sha256 } from '#src/tasks/digest.ts';
import { externalPaths } from '#src/tasks/diffusion/folder.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { ModelFile } from '#src/tasks/types.ts';

/** Decodes one ONNX file of a set. Throws ModelError or DataError that names the file. */
export async function openModel(files: FileSet, path: string): Promise<ModelFile> {
  const bytes = await files.read(path);
  let model: Model;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    throw error instanceof ModelError ? new ModelError(`${path}: ${error.message}`) : error;
  }
  const locations = externalFiles(model);
  const parts: Uint8Array[] = [bytes];
  for (const external of externalPaths(files, path, model)) parts.push(await files.read(external));
  const byLocation = new Map(locations.map((location, i) => [location, parts[i + 1]!]));
  const digests: string[] = [];
  for (const part of parts) digests.push(await sha256(part));
  return {
    path,
    model: locations.length > 0 ? loadExternal(model, byLocation) : model,
    hash: digests.length === 1 ? digests[0]! : await sha256(new TextEncoder().encode(digests.join('\n'))),
    bytes: parts.reduce((n, part) => n + part.byteLength, 0),
  };
}
