/**
 * @file Layers that are several modules in Python, such as queries, keys and values in one product. On the input side all of them meet one rotation:
 * PEFT's folder holds it for each module, and is read where it is the same for each.
 */
import { moduleOf } from '#src/oft/modules/tree.ts';
import type { Layer } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { Misfit } from '../../errors.ts';

/** The modules of a layer. */
export const modulesOf = (layer: Layer): readonly string[] => {
  const { path, parts } = moduleOf(layer);
  return parts ?? [path];
};

export const isJoined = (layer: Layer): boolean => modulesOf(layer).length > 1;

const same = (a: Tensor, b: Tensor): boolean =>
  a.type === b.type &&
  a.shape.join() === b.shape.join() &&
  a.data.length === b.data.length &&
  a.data.every((x, i) => x === b.data[i]);

/**
 * A folder's tensors with those of a layer's modules as one, under the layer's own name.
 * @throws Misfit where the modules of a layer are turned differently, or one is not
 */
export function joinParts(
  tensors: ReadonlyMap<string, Tensor>,
  layers: readonly Layer[],
): ReadonlyMap<string, Tensor> {
  const joined = new Map(tensors);
  for (const layer of layers.filter(isJoined)) {
    const { path } = moduleOf(layer);
    const parts = modulesOf(layer);
    const ends = parts.map((part) => `${part}.oft_R.weight`);
    const keys = ends.map((end) => [...joined.keys()].find((key) => key === end || key.endsWith(`.${end}`)));
    const there = keys.filter((key) => key !== undefined);
    const [first] = there;
    if (first === undefined) continue;
    const own = joined.get(first)!;
    if (there.length < parts.length || !there.every((key) => same(joined.get(key)!, own)))
      throw new Misfit(
        `${parts.map((part) => part.split('.').at(-1)).join(', ')} of ${layer.path} are one layer in this model, with one rotation for all, but the adapter ${there.length < parts.length ? 'turns only some of them' : 'turns each otherwise'}.`,
        {
          cure: 'Export the model with separate layers for them, or merge the adapter in PEFT (merge_and_unload) before the export.',
        },
      );
    for (const key of there) joined.delete(key);
    joined.set(
      `${first.slice(0, first.length - ends[keys.indexOf(first)]!.length)}${path}.oft_R.weight`,
      own,
    );
  }
  return joined;
}
