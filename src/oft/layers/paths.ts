/** @file Module paths of layers: from the stored weight's name, else from the node's scope; distinct. */
import type { Node } from '#src/onnx/model.ts';
import type { Layer } from '../types.ts';

/** Names that exporters invent and that say nothing of the module: TorchScript's onnx::MatMul_12, dynamo's val_7, optimisers' transposes. */
const anonymous = /^(onnx::|val_\d+$|\/|_?const|initializer|node_|\d+$)/i;

/** What a module calls its weight: itself, as quantisers write it, and the parts of weight norm (old and new). */
const ending =
  /[._/]?(weight(_[vg]|_orig|[._](int8|uint8|quantized|q))?|parametrizations\.weight\.original[01]?|kernel|MatMul\/ReadVariableOp(:0)?)$/;

const scopeOf = (nodeName: string): string => nodeName.split('/').filter(Boolean).slice(0, -1).join('.');

/** The dotted module path of a layer's weight. */
export function layerPath(node: Node, stored: string): string {
  // As import calls the bytes of a packed weight in their own type, and ONNX Runtime's quantiser its whole numbers.
  const initializer = stored.replace(/\/u?int[48]$/, '').replace(/(_Transposed)?_quantized$/, '');
  if (!anonymous.test(initializer))
    return initializer.replace(ending, '').replaceAll('/', '.') || initializer;
  return scopeOf(node.name) || initializer.replaceAll(/[:/]+/g, '_');
}

/**
 * Layers under paths of their own, since files hold them by path. A weight cut out of a tensor, or joined of several, goes by its node's scope where
 * that is no other layer's; what has one path with others then is numbered.
 */
export function withDistinctPaths(layers: readonly Layer[]): Layer[] {
  const scopes = layers.map((layer) => (layer.made?.whole === false ? scopeOf(layer.nodes[0]!) : ''));
  const times = new Map<string, number>();
  for (const name of [...scopes, ...layers.map((l) => l.path)]) times.set(name, (times.get(name) ?? 0) + 1);
  const paths = layers.map((layer, i) => {
    const scope = scopes[i]!;
    return scope !== '' && (times.get(scope) === 1 || scope === layer.path) ? scope : layer.path;
  });
  const groups = new Map<string, number[]>();
  paths.forEach((path, i) => groups.set(path, [...(groups.get(path) ?? []), i]));
  const taken = new Set(paths);
  for (const [path, group] of groups) {
    if (group.length === 1) continue;
    // Layers that have only their name in common: the first keeps it.
    const pieces = group.every((i) => layers[i]!.made?.whole === false);
    group.forEach((i, k) => {
      if (k === 0 && !pieces) return;
      let own = `${path}.${k}`;
      while (taken.has(own)) own += '_';
      taken.add(own);
      paths[i] = own;
    });
  }
  return layers.map((layer, i) => (layer.path === paths[i] ? layer : { ...layer, path: paths[i]! }));
}
