/** @file Which files of a set are images. */
import type { FileSet } from '#src/tasks/files.ts';

const IMAGE = /\.(png|jpe?g|webp|avif|svg|gif|bmp)$/i;

/** A file or folder of the path begins with a dot, or belongs to macOS's archives. */
export const isHidden = (path: string): boolean => /(^|\/)(\.|__MACOSX\/)/.test(path);

/** Paths of images under `prefix` (a folder that ends in "/", or "" for all), hidden ones left out, in the order of the set. */
export const imagePaths = (files: FileSet, prefix = ''): string[] =>
  files.paths.filter((path) => path.startsWith(prefix) && IMAGE.test(path) && !isHidden(path));

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The path without its extension. */
export const stemOf = (path: string): string => path.replace(/\.[^./]*$/, '');
