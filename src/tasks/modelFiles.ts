/** @file ONNX files of a set: their structure read, their large weights left where they are, as byte ranges of files of the set. */
import { placed } from '#src/platform/refusals.ts';
import { externalEnds, loadSmall, type ReadRange, relocated } from '#src/onnx/external.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { openModelFile } from '#src/onnx/open.ts';
import { identityOf } from './digest.ts';
import { DataError, type FileSet } from './files.ts';
import type { ModelFile } from './types.ts';

/** A file of external data; bytes null: it is not in the set. */
export interface ExternalFile {
  readonly path: string;
  readonly bytes: number | null;
}

/** A model as far as it can be read without its large weights. */
export interface Structure {
  readonly path: string;
  /** Locations of external tensors are paths of the set. Where every file is there, small tensors are inline. */
  readonly model: Model;
  readonly external: readonly ExternalFile[];
  /** Of the file and its external data, as far as they are there. */
  readonly bytes: number;
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Reads ranges of the set's files: what a runtime loads weights by. */
export const readRanges =
  (files: FileSet): ReadRange =>
  (path, offset, length) =>
    files.read(path, offset, length);

/**
 * Reads the structure of an ONNX file. Nothing outside of the set is read: the decoder refuses locations that lead out of the model's folder.
 * @throws ModelError that names the file where it is no whole ONNX model, or its external data are too short
 */
export async function readStructure(files: FileSet, path: string): Promise<Structure> {
  const size = await files.size(path);
  let decoded: Model;
  try {
    decoded = await openModelFile((offset, length) => files.read(path, offset, length), size);
  } catch (error) {
    throw error instanceof ModelError ? new ModelError(...placed(path, error)) : error;
  }
  const pathOf = (location: string): string =>
    location === '' ? path : folderOf(path) + location.replace(/^\.\//, '');
  const there = new Set(files.paths);
  const external: ExternalFile[] = [];
  for (const [location, least] of externalEnds(decoded)) {
    const beside = pathOf(location);
    const bytes = there.has(beside) ? await files.size(beside) : null;
    if (bytes !== null && bytes < least.bytes)
      throw new ModelError(
        `${beside} has ${bytes} bytes, but ${least.tensor} ends at byte ${least.bytes}. The file is truncated, or belongs to another model: copy it again.`,
      );
    external.push({ path: beside, bytes });
  }
  const model = relocated(decoded, pathOf);
  const whole = external.every((e) => e.bytes !== null);
  return {
    path,
    model: whole ? await loadSmall(model, readRanges(files)) : model,
    external,
    bytes: external.reduce((n, e) => n + (e.bytes ?? 0), size),
  };
}

/**
 * Decodes one ONNX file of a set, with its identity.
 * @param onBytes told how many bytes were read for the identity since the last call; throwing from it ends the work
 * @throws ModelError or DataError that names the file, and each file of weights that is not there
 */
export async function openModel(
  files: FileSet,
  path: string,
  onBytes?: (bytes: number) => void,
): Promise<ModelFile> {
  const { model, external, bytes } = await readStructure(files, path);
  const missing = external.filter((e) => e.bytes === null).map((e) => e.path);
  if (missing.length > 0)
    throw new DataError(
      `${path} keeps its weights in ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} not in ${files.name}. Put ${missing.length > 1 ? 'them' : 'it'} beside the model.`,
    );
  const hash = await identityOf(files, [path, ...external.map((e) => e.path)], onBytes);
  return { path, model, hash, bytes };
}
