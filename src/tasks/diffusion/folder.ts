/** @file Files beside a model that hold its weights. */
import { externalFiles } from '#src/onnx/external.ts';
import type { Model } from '#src/onnx/model.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';

/**
 * The files beside a model that hold its external tensors, as paths in the FileSet.
 * @param path of the model's own file
 * @throws DataError that names each one that is not there
 */
export function externalPaths(files: FileSet, path: string, model: Model): string[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const paths = externalFiles(model).map((location) => folder + location.replace(/^\.\//, ''));
  const missing = paths.filter((p) => !files.paths.includes(p));
  if (missing.length)
    throw new DataError(
      `${path} keeps its weights in ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} not in ${files.name}. Put ${missing.length > 1 ? 'them' : 'it'} beside the model.`,
    );
  return paths;
}
