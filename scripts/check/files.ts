/** @file Files that the command reads: the model with its external data, plan, adapter, tensors. */
import { open, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { externalEnds, loadAll, loadSmall, type ReadRange } from '#src/onnx/external.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { openModelFile } from '#src/onnx/open.ts';
import type { DimHints } from '#src/graph/assume.ts';
import { hintFiles, hintsOf } from '#src/tasks/modelHints.ts';
import { UsageError } from './arguments.ts';

/** A whole file. Throws UsageError that names it and says what is wrong. */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new UsageError(`${what} ${path} cannot be read: ${reason(error)}.`, {
      cure: 'Check its name and its permissions.',
    });
  }
}

export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'access is denied';
  return message;
}

/** Whether `path` lies in `folder`, by name. */
function inside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** What one buffer of Node, and WebAssembly's memory beside what is computed, hold for certain. */
const LARGEST_WHOLE = 2 ** 31;

/** A range of a file on the disk. */
async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Header of a safetensors file; null: it is none. */
async function tensorNames(path: string): Promise<string[] | null> {
  const start = await readRange(path, 0, 8);
  if (start.length < 8) return null;
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > 100e6) return null;
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(await readRange(path, 8, length)));
    return typeof header === 'object' && header !== null ? Object.keys(header) : null;
  } catch {
    return null;
  }
}

/**
 * OUT may be a new file, or one that this command wrote: no other is written over.
 * @throws UsageError that names the file
 */
export async function demandOwnOutput(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile() || found.size === 0) return;
  const names = await tensorNames(path);
  if (names?.every((name) => /^(__metadata__$|output\.|grad\.)/.test(name))) return;
  throw new UsageError(
    `OUT ${path} is a file that this command did not write; it is left as it is. Name a new file.`,
  );
}

/**
 * The model, its large weights left in their files unless `whole`. External data must lie in the model's folder or below, links followed.
 * @throws UsageError where the model cannot be read, or is too large to be taken whole; ModelError where it is none, or lacks its data
 */
export async function readModel(path: string, whole: boolean): Promise<Model> {
  let size: number;
  try {
    // An empty read says what is wrong with a folder or a file without access.
    await readRange(path, 0, 1);
    size = (await stat(path)).size;
  } catch (error) {
    throw new UsageError(`The model ${path} cannot be read: ${reason(error)}.`, {
      cure: 'Check its name and its permissions.',
    });
  }
  const model = await openModelFile((offset, length) => readRange(path, offset, length), size);
  const folder = dirname(resolve(path));
  const files = new Map([['', path]]);
  let total = size;
  for (const [location, least] of externalEnds(model)) {
    const outside = new ModelError(
      `The model asks for weights in ${location}, outside of its own folder. That is refused: put the file beside the model.`,
    );
    const file = resolve(folder, location);
    if (isAbsolute(location) || !inside(folder, file)) throw outside;
    const there = await stat(file).catch(() => undefined);
    if (!there?.isFile())
      throw new ModelError(
        `The model keeps weights in the file ${location}, which is not beside it in ${folder}. Copy it there.`,
      );
    // A cache of downloads holds links to one folder of files: then the weights lie beside the model, too.
    const real = await realpath(file);
    const beside = dirname(real) === dirname(await realpath(path));
    if (!beside && !inside(await realpath(folder), real)) throw outside;
    if (there.size < least.bytes)
      throw new ModelError(
        `${location} has ${there.size} bytes, but ${least.tensor} ends at byte ${least.bytes}. The file is truncated, or belongs to another model: copy it again.`,
      );
    total += there.size;
    files.set(location, file);
  }
  const ranges: ReadRange = (location, offset, length) => readRange(files.get(location)!, offset, length);
  if (!whole) return loadSmall(model, ranges);
  if (total > LARGEST_WHOLE)
    throw new UsageError(
      `The model has ${(total / 1e9).toFixed(1)} GB, too much for --gradients, which computes with all weights in memory. Export a smaller one of the same kind, with fewer layers.`,
    );
  return loadAll(model, ranges);
}

/** What the JSON files in the model's folder say of its sizes; what cannot be read says nothing. */
export async function readHints(model: string): Promise<DimHints> {
  const texts = await Promise.all(
    hintFiles.map(
      async (name) => [name, await readFile(join(dirname(model), name), 'utf8').catch(() => '')] as const,
    ),
  );
  return hintsOf(Object.fromEntries(texts));
}
