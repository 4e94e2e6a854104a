/** @file An ONNX file as the inspector reads it: decoded, its large weights left where they are, missing ones noted instead of refused. */
import type { DimHints } from '#src/graph/assume.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { type Beside, readBeside } from '#src/tasks/recognition/beside.ts';
import { identityOf as identityOfFiles } from '#src/tasks/digest.ts';
import { readStructure, type Structure } from '#src/tasks/modelFiles.ts';
import { readHints } from '#src/tasks/modelHints.ts';

/** A decoded file. All that can be said of it at any dimensions follows from this without reading again. */
export interface ReadFile extends Structure {
  readonly hints: DimHints;
  readonly beside: Beside;
}

/** The ONNX files of a set, in its order. */
export const modelPaths = (files: FileSet): string[] => files.paths.filter((p) => /\.onnx$/i.test(p));

/** Reads one file. Throws ModelError that names it where it is no whole ONNX model. */
export const readModelFile = async (files: FileSet, path: string): Promise<ReadFile> => ({
  ...(await readStructure(files, path)),
  hints: await readHints(files, path),
  beside: await readBeside(files, path),
});

/** SHA-256 of the file; with external files, of its and their digests in their order. null where one is missing. */
export const identityOf = async (
  files: FileSet,
  { path, external }: Pick<ReadFile, 'path' | 'external'>,
): Promise<string | null> =>
  external.some((e) => e.bytes === null)
    ? null
    : identityOfFiles(files, [path, ...external.map((e) => e.path)]);
