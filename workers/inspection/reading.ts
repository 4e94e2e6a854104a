/** @file An ONNX file as the inspector reads it: decoded, its large weights left where they are, missing ones noted instead of refused. */
import * as v from 'valibot';
import type { DimHints } from '#src/graph/assume.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { externalEnds, loadSmall } from '#src/onnx/external.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { sha256 } from '#src/tasks/digest.ts';

/** A decoded file. All that can be said of it at any dimensions follows from this without reading again. */
export interface ReadFile {
  readonly path: string;
  readonly model: Model;
  readonly bytes: number;
  /** bytes null: the file is not in the set. */
  readonly external: readonly { readonly path: string; readonly bytes: number | null }[];
  readonly hints: DimHints;
}

/** The ONNX files of a set, in its order. */
export const modelPaths = (files: FileSet): string[] => files.paths.filter((p) => /\.onnx$/i.test(p));

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Reads one file. Throws ModelError that names it where it is no whole ONNX model. */
export async function readModelFile(files: FileSet, path: string): Promise<ReadFile> {
  const bytes = await files.read(path);
  let model: Model;
  try {
    model = decodeModel(bytes);
  } catch (error) {
    throw error instanceof ModelError ? new ModelError(`${path}: ${error.message}`) : error;
  }
  const there = new Set(files.paths);
  const pathOf = (location: string): string => folderOf(path) + location.replace(/^\.\//, '');
  const external: { path: string; bytes: number | null }[] = [];
  for (const [location, least] of externalEnds(model)) {
    const beside = pathOf(location);
    const size = there.has(beside) ? await files.size(beside) : null;
    if (size !== null && size < least.bytes)
      throw new ModelError(
        `${beside} has ${size} bytes, but ${least.tensor} ends at byte ${least.bytes}. The file is truncated, or belongs to another model.`,
      );
    external.push({ path: beside, bytes: size });
  }
  const whole = external.every((e) => e.bytes !== null);
  return {
    path,
    model: whole
      ? await loadSmall(model, (location, offset, length) => files.read(pathOf(location), offset, length))
      : model,
    bytes: external.reduce((n, e) => n + (e.bytes ?? 0), bytes.byteLength),
    external,
    hints: await readHints(files, path),
  };
}

/** SHA-256 of the file; with external files, of its and their digests in their order. null where one is missing. */
export async function identityOf(
  files: FileSet,
  { path, external }: Pick<ReadFile, 'path' | 'external'>,
): Promise<string | null> {
  if (external.some((e) => e.bytes === null)) return null;
  const digests: string[] = [];
  for (const part of [path, ...external.map((e) => e.path)])
    digests.push(await sha256(await files.read(part)));
  return digests.length === 1 ? digests[0]! : sha256(new TextEncoder().encode(digests.join('\n')));
}

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
