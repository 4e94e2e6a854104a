/** @file Which files of a set are images. */
import { type FileSet, isHidden } from '#src/tasks/files.ts';

const IMAGE = /\.(png|jpe?g|webp|avif|svg|gif|bmp)$/i;

/** Paths of images under `prefix` (a folder that ends in "/", or "" for all), hidden ones left out, in the order of the set. */
export const imagePaths = (files: FileSet, prefix = ''): string[] =>
  files.paths.filter((path) => path.startsWith(prefix) && IMAGE.test(path) && !isHidden(path));
