/** @file What an import specifier of ours leads to: the rules about imports (layers, circles) ask this one place. */
import { posix } from 'node:path';

/** Tests and their helpers: no rule about imports holds for them. */
export const TESTS = /(\.test\.ts$)|(^|\/)testing\//;

/**
 * Where an import leads: a path relative to the repository's root, or null for a package.
 * @param {string} file importing file, relative to the root
 * @param {string} source import specifier
 */
export function target(file, source) {
  if (source.startsWith('#')) return source.slice(1);
  if (source.startsWith('.')) return posix.join(posix.dirname(file), source);
  return null;
}
