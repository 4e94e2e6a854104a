/** @file What adapter files call a layer: names to write, and the scheme of names in a file that is read. */
import { keyOf, type KeyedFormat, type Prefix } from '#src/oft/modules/keys.ts';
import type { Layer } from '#src/oft/types.ts';
import { FormatError } from '../errors.ts';

export { flatName, type Prefix, prefixes } from '#src/oft/modules/keys.ts';
export { resolveNames, type ResolvedNames } from './nameSchemes.ts';

/**
 * The names that layers are written under, without the parameter at their end.
 * @param prefix instead of the format's own
 * @throws FormatError where two layers would get one name.
 */
export function fileNames(
  format: KeyedFormat,
  layers: readonly Layer[],
  prefix?: Prefix,
): Map<Layer, string> {
  const names = new Map<Layer, string>();
  const taken = new Map<string, Layer>();
  for (const layer of layers) {
    const name = keyOf(format, layer, prefix);
    const other = taken.get(name);
    if (other)
      throw new FormatError(
        `${format === 'peft' ? 'PEFT' : 'LyCORIS'} has one name, ${name}, for two layers: ${other.path} and ${layer.path}. Skip one of them by a rule.`,
      );
    taken.set(name, layer);
    names.set(layer, name);
  }
  return names;
}

/** "a", "a and b", "a, b and 3 more": layers for a sentence. */
export function listed(layers: readonly { readonly path: string }[]): string {
  const paths = layers.map((l) => l.path);
  if (paths.length <= 2) return paths.join(' and ');
  return `${paths.slice(0, 2).join(', ')} and ${paths.length - 2} more`;
}
