/** @file A set of files: a picked folder, a built-in folder on our own origin, or a folder on disk (Node). */
import { PlainError } from '#src/platform/refusals.ts';

export interface FileSet {
  /** What people call it: a folder name. */
  readonly name: string;
  /** Relative paths with forward slashes, sorted; hidden files (`.x`, `._x`, `__MACOSX`) left out. */
  readonly paths: readonly string[];
  /** Bytes of a file or of a range of it. Throws DataError if it is not there. */
  read(path: string, offset?: number, length?: number): Promise<Uint8Array>;
  size(path: string): Promise<number>;
}

/** The user's data cannot be used as they are. The message names the file and the way out. */
export class DataError extends PlainError {
  override readonly name: string = 'DataError';
}

/** A file or folder of the path begins with a dot, or belongs to macOS's archives. */
export const isHidden = (path: string): boolean => /(^|\/)(\.|__MACOSX\/)/.test(path);

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The path without its extension. */
export const stemOf = (path: string): string => path.replace(/\.[^./]*$/, '');
