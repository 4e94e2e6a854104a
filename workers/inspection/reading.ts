/** @file An ONNX file as the inspector reads it: decoded, its large weights left where they are, missing ones noted instead of refused. */
import * as v from 'valibot';
import type { DimHints } from '#src/graph/assume.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { identityOf as identityOfFiles } from '#src/tasks/digest.ts';
import { readStructure, type Structure } from '#src/tasks/modelFiles.ts';

/** A decoded file. All that can be said of it at any dimensions follows from this without reading again. */
export interface ReadFile extends Structure {
  readonly hints: DimHints;
}

/** The ONNX files of a set, in its order. */
export const modelPaths = (files: FileSet): string[] => files.paths.filter((p) => /\.onnx$/i.test(p));

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

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

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_536));
const sides = v.union([
  size,
  v.pipe(
    v.array(size),
    v.length(2),
    v.transform(([height]) => height!),
  ),
  v.pipe(
    v.object({ height: size }),
    v.transform(({ height }) => height),
  ),
]);
const loose = <T extends v.GenericSchema>(schema: T) => v.fallback(v.optional(schema), undefined);
const configSchema = v.object({
  image_size: loose(sides),
  sample_size: loose(sides),
  num_channels: loose(size),
  in_channels: loose(size),
  max_position_embeddings: loose(size),
  n_positions: loose(size),
  max_target_positions: loose(size),
});

/** What the config.json beside a model, or one folder up, says of its sizes; what cannot be read says nothing. */
async function readHints(files: FileSet, path: string): Promise<DimHints> {
  const own = folderOf(path);
  const above = folderOf(own.slice(0, -1));
  const found = [`${own}config.json`, `${above}config.json`].find((p) => files.paths.includes(p));
  if (!found) return {};
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await files.read(found)));
  } catch {
    return {};
  }
  const config = v.safeParse(configSchema, json);
  if (!config.success) return {};
  const c = config.output;
  return {
    side: c.sample_size ?? c.image_size,
    channels: c.in_channels ?? c.num_channels,
    positions: c.max_position_embeddings ?? c.n_positions ?? c.max_target_positions,
  };
}

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
