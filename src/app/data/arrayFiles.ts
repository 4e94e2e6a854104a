/** @file What arrays there are in the files that were picked, by their headers. */
import type { DType } from '#src/onnx/model.ts';
import { inFull, PlainError } from '#src/platform/refusals.ts';
import { isArrayFile } from '#src/tasks/arrays/files.ts';
import { readArrayHeaders } from '#src/tasks/arrays/headers.ts';
import { inOrder, isBatchFile } from '#src/tasks/generic/roles.ts';

export interface FoundArray {
  readonly name: string;
  readonly type: DType;
  readonly shape: readonly number[];
  readonly path: string;
  /** Another file with an array of that name. */
  readonly also?: string;
}

export interface FoundArrays {
  readonly arrays: readonly FoundArray[];
  /** Files that are a batch each, of which the first was looked at; null: they are none. */
  readonly batches: number | null;
  /** Why a file could not be looked into. */
  readonly problems: readonly string[];
}

/** null: none of the files holds arrays. */
export async function arraysIn(
  files: readonly { readonly path: string; readonly blob: Blob }[],
): Promise<FoundArrays | null> {
  const blobs = new Map(files.filter(({ path }) => isArrayFile(path)).map(({ path, blob }) => [path, blob]));
  const paths = [...blobs.keys()];
  if (paths.length === 0) return null;
  const batches = paths.every(isBatchFile) ? paths.length : null;
  const arrays = new Map<string, FoundArray>();
  const problems: string[] = [];
  for (const path of batches === null ? paths : inOrder(paths).slice(0, 1))
    try {
      for (const [name, { type, shape }] of await readArrayHeaders(path, blobs.get(path)!)) {
        const other = arrays.get(name);
        arrays.set(name, other ? { ...other, also: path } : { name, type, shape, path });
      }
    } catch (cause) {
      problems.push(
        cause instanceof PlainError ? inFull(cause) : `${path} cannot be read any more. Pick it again.`,
      );
    }
  return { arrays: [...arrays.values()], batches, problems };
}
