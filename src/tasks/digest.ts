/** @file SHA-256 of files, as hexadecimal text. */
import { createSHA256 } from 'hash-wasm';
import { sha256 } from '#src/platform/sha256.ts';
import type { FileSet } from './files.ts';

export { sha256 };

/** Files up to so many bytes are read at once; larger ones in pieces of that size, which the browser's own digest cannot do. */
const PIECE = 2 ** 24;

/**
 * Of a file of any size, with flat memory.
 * @param onBytes told how many bytes were read since the last call; throwing from it ends the work
 */
export async function sha256Of(
  files: FileSet,
  path: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<string> {
  const size = await files.size(path);
  if (size <= PIECE) {
    const digest = await sha256(await files.read(path));
    onBytes(size);
    return digest;
  }
  const hasher = await createSHA256();
  for (let at = 0; at < size; at += PIECE) {
    const piece = await files.read(path, at, Math.min(PIECE, size - at));
    hasher.update(piece);
    onBytes(piece.byteLength);
  }
  return hasher.digest('hex');
}

/** Of several files: of the only one, or of their digests in their order, a line each. */
export async function identityOf(
  files: FileSet,
  paths: readonly string[],
  onBytes?: (bytes: number) => void,
): Promise<string> {
  const digests: string[] = [];
  for (const path of paths) digests.push(await sha256Of(files, path, onBytes));
  return digests.length === 1 ? digests[0]! : sha256(new TextEncoder().encode(digests.join('\n')));
}
