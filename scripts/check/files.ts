/** @file Files that the command reads: the model with its external data, plan, adapter, tensors. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { decodeModel } from '#src/onnx/decode.ts';
import { externalFiles, loadExternal } from '#src/onnx/external.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { UsageError } from './arguments.ts';

/** A whole file. Throws UsageError that names it and says what is wrong. */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new UsageError(`${what} ${path} cannot be read: ${reason(error)}.`);
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

/** The model with all its tensors. External data must lie in the model's folder or below, links followed. */
export async function readModel(path: string): Promise<Model> {
  const model = decodeModel(await readBytes(path, 'The model'));
  const folder = dirname(resolve(path));
  const files = new Map<string, Uint8Array>();
  for (const location of externalFiles(model)) {
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
    if (!inside(await realpath(folder), await realpath(file))) throw outside;
    files.set(location, await readBytes(file, 'The data file'));
  }
  return loadExternal(model, files);
}
