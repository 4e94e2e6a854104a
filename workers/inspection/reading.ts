/** @file An ONNX file as the inspector reads it: decoded, its large weights left where they are, missing ones noted instead of refused. */
import * as v from 'valibot';
import type { DimHints } from '#src/graph/assume.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { identityOf as identityOfFiles } from '#src/tasks/digest.ts';
import { readStructure, type Structure } from '#src/tasks/modelFiles.ts';
import { readHints } from '#src/tasks/modelHints.ts';

/** A decoded file. All that can be said of it at any dimensions follows from this without reading again. */
export interface ReadFile extends Structure {
  readonly hints: DimHints;
}

/** The ONNX files of a set, in its order. */
export const modelPaths = (files: FileSet): string[] => files.paths.filter((p) => /\.onnx$/i.test(p));

/** Reads one file. Throws ModelError that names it where it is no whole ONNX model. */
export const readModelFile = async (files: FileSet, path: string): Promise<ReadFile> => ({
  ...(await readStructure(files, path)),
  hints: await readHints(files, path),
});

/** SHA-256 of the file; with external files, of its and their digests in their order. null where one is missing. */
export const identityOf = async (
  files: FileSet,
  { path, external }: Pick<ReadFile, 'path' | 'external'>,
): Promise<string | null> =>
  external.some((e) => e.bytes === null)
    ? null
    : identityOfFiles(files, [path, ...external.map((e) => e.path)]);

const indexSchema = v.object({ _class_name: v.string() });

/** The pipeline's class in model_index.json, at the top or one level down; null: there is none. */
export async function readPipeline(files: FileSet): Promise<string | null> {
  const index = files.paths.find((p) => /^([^/]+\/)?model_index\.json$/.test(p));
  if (!index) return null;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await files.read(index)));
    const parsed = v.safeParse(indexSchema, json);
    return parsed.success ? parsed.output._class_name : null;
  } catch {
    return null;
  }
}
