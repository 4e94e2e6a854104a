/**
 * @file What a model's layers are called in Python: which family of models their names have the structure of, what an exporter or a wrapper
 * class put before them, and the names under which adapter files know them.
 */
import type { Family, Layer, ModuleName } from '../types.ts';
import { rebuiltNames } from './builder.ts';
import { otherNames } from './original.ts';

interface Tree {
  readonly family: Exclude<Family, 'other'>;
  /** The beginning of a path, from the model's own top on, that no other family has. */
  readonly sign: RegExp;
  /** What the layers below one top must have too (some), and must not have (any), for the sign to hold. */
  readonly needs?: RegExp;
  readonly forbids?: RegExp;
}

/** In order: the first whose sign is found decides. Blocks of diffusion transformers lie inside UNets, too. */
const trees: readonly Tree[] = [
  {
    family: 'unet',
    sign: /^(?:(?:down|up)_blocks\.\d+|mid_block)\.(?:resnets|attentions|motion_modules)\.\d+\./,
    needs: /(?:^|\.)(?:time_emb_proj|time_embedding|transformer_blocks)(?:\.|$)/,
  },
  {
    family: 'ldm',
    sign: /^(?:(?:input|output)_blocks\.\d+\.\d+|middle_block\.\d+)\./,
    needs: /(?:^|\.)(?:emb_layers|time_embed|transformer_blocks)(?:\.|$)/,
  },
  { family: 'dit', sign: /^(?:double_blocks|single_blocks|joint_blocks)\.\d+\./ },
  { family: 'transformer', sign: /^(?:single_)?transformer_blocks\.\d+\.(?:attn|ff|proj_|norm)/ },
  {
    family: 'clip',
    sign: /^(?:text_model\.)?encoder\.layers\.\d+\.self_attn\.(?:q|k|v|out)_proj$/,
    needs: /(?:^|\.)encoder\.layers\.\d+\.mlp\.fc1$/,
    forbids: /(?:^|\.)(?:vision_model|patch_embedding|visual_projection|decoder)(?:\.|$)/,
  },
  {
    family: 't5',
    sign: /^encoder\.block\.\d+\.layer\.\d+\.(?:SelfAttention|DenseReluDense)\./,
    forbids: /(?:^|\.)decoder\.block\./,
  },
];

/** Segments that wrappers add and no model has: torch.compile's, FSDP's, activation checkpointing's, DeepSpeed's, PEFT's. */
const foreign =
  /^(?:_orig_mod|_fsdp_wrapped_module|_fpw_module|_checkpoint_wrapped_module|_forward_module|base_layer)$/;

/** What people call the model inside a wrapper class of their own. */
const inside = /^(?:model|module|net|network|wrapped|wrapper|inner|base|core)$/;

/** Tops of models whose names are well known and that are not wrappers themselves. */
const tops =
  /^(?:(?:bert|roberta|distilbert|electra|deberta|albert|camembert|xlm_roberta|mpnet|vit|deit|beit|swin|swinv2|dinov2|segformer|convnext|wav2vec2|hubert)\.|model\.(?:layers|encoder|decoder)\.|transformer\.(?:h|layer)\.|gpt_neox\.|layer[1-4]\.\d+\.conv|blocks\.\d+\.(?:attn|mlp)\.|patch_embed\.)/;

/** A path without the segments that wrappers add in the middle of names. */
const clean = (path: string): string =>
  path
    .split('.')
    .filter((segment) => !foreign.test(segment))
    .join('.');

/** Whether the path lies below the root, and what is left of it. */
const below = (root: string, path: string): string | undefined =>
  root === '' ? path : path.startsWith(`${root}.`) ? path.slice(root.length + 1) : undefined;

interface Found {
  readonly family: Family;
  readonly root: string;
}

/** The one root under which a family's sign is found; undefined: none, or several. */
function rootOf({ sign, needs, forbids }: Tree, paths: readonly string[]): string | undefined {
  const roots = new Set<string>();
  for (const path of paths) {
    const parts = path.split('.');
    const at = parts.findIndex((_, k) => sign.test(parts.slice(k).join('.')));
    if (at >= 0) roots.add(parts.slice(0, at).join('.'));
  }
  const [root, ...more] = roots;
  if (root === undefined || more.length > 0) return undefined;
  const own = paths.flatMap((path) => below(root, path) ?? []);
  if (needs && !own.some((path) => needs.test(path))) return undefined;
  // A part of a larger model, such as the text half of CLIP, is no text encoder.
  return forbids && (forbids.test(root) || own.some((path) => forbids.test(path))) ? undefined : root;
}

/** Wrappers around models of no known family: nothing is taken away that may be the model's own. */
function plainRoot(paths: readonly string[]): string {
  let root = '';
  for (;;) {
    const own = paths.map((path) => below(root, path)!);
    const [first, ...more] = new Set(own.map((path) => path.split('.')[0]!));
    if (first === undefined || more.length > 0 || own.some((path) => !path.includes('.'))) return root;
    const inner = own.map((path) => path.slice(first.length + 1));
    const peft = first === 'base_model' && inner.every((path) => path.startsWith('model.'));
    if (!peft && first !== 'module' && !(inside.test(first) && inner.some((path) => tops.test(path))))
      return root;
    root = [root, first, ...(peft ? ['model'] : [])].filter(Boolean).join('.');
  }
}

function treesIn(paths: readonly string[]): Found[] {
  const found: Found[] = [];
  for (const tree of trees) {
    const root = rootOf(tree, paths);
    if (root === undefined) continue;
    // Blocks of a UNet's transformers are no diffusion transformer.
    if (found.some((f) => below(f.root, `${root}.`) !== undefined)) continue;
    found.push({ family: tree.family, root });
  }
  return found.length > 0 ? found : [{ family: 'other', root: plainRoot(paths) }];
}

/** The family that names without a prefix show; for a root that was set by hand. */
const familyOf = (paths: readonly string[]): Family =>
  treesIn(paths).find(({ root }) => root === '')?.family ?? 'other';

/** CLIP's text encoder as transformers 4 and every tool's files call it. transformers 5 has left the level out. */
const withTextModel = (path: string): string =>
  /^(?:encoder|embeddings|final_layer_norm)\./.test(path) ? `text_model.${path}` : path;

/** Names of the layers below one root, which are `paths` without it. */
function named(family: Family, root: string, paths: readonly string[]): ModuleName[] {
  if (family !== 'unet' && family !== 'ldm')
    return paths.map((path) => ({
      root,
      path,
      family,
      known: family === 'clip' ? withTextModel(path) : path,
    }));
  const other = otherNames(paths, family === 'unet' ? 'diffusers' : 'original');
  const sdxl = paths.some((path) => /^(?:add_embedding|label_emb)\./.test(path));
  return paths.map((path) => {
    const second = other.get(path);
    const original = family === 'ldm' ? path : second;
    return {
      root,
      path,
      family,
      known: family === 'ldm' ? (second ?? path) : path,
      ...(original !== undefined && { original }),
      ...(sdxl && { sdxl: true as const }),
    };
  });
}

/** What the exporter put before a path: all that the name in Python lacks at its beginning. */
const taken = (path: string, { root, path: rest }: ModuleName): string =>
  path.endsWith(rest) ? path.slice(0, path.length - rest.length).replace(/\.$/, '') : root;

/**
 * The layers with the names of their modules in Python.
 * @param layers all of one model, part by part: how many blocks a level has follows from the others
 * @param root what the person says stands before the names; undefined: found by the structure of the names
 */
export function nameModules(layers: readonly Layer[], root?: string): Layer[] {
  const out = layers.map(({ module: _, ...layer }): Layer => layer);
  const parts = new Map<string | undefined, number[]>();
  for (const [i, { part }] of layers.entries()) parts.set(part, [...(parts.get(part) ?? []), i]);
  for (const group of parts.values()) {
    const paths = group.map((i) => clean(layers[i]!.path));
    const asked =
      root !== undefined && (root === '' || paths.some((path) => below(clean(root), path) !== undefined));
    const builder = asked ? undefined : rebuiltNames(paths);
    if (builder) {
      for (const [k, name] of builder.entries())
        out[group[k]!] = {
          ...out[group[k]!]!,
          module: { root: '', family: 'other', known: name.path, ...name },
        };
      continue;
    }
    const rest = asked ? paths.flatMap((path) => below(clean(root), path) ?? []) : [];
    const found = asked ? [{ root: clean(root), family: familyOf(rest) }] : treesIn(paths);
    const left = new Set(group.keys());
    for (const tree of found) {
      const own = [...left].filter((k) => below(tree.root, paths[k]!) !== undefined);
      const names = named(
        tree.family,
        tree.root,
        own.map((k) => below(tree.root, paths[k]!)!),
      );
      for (const [n, k] of own.entries()) {
        left.delete(k);
        const at = group[k]!;
        const name = names[n]!;
        const { path } = layers[at]!;
        if (name.family === 'other' && name.path === path) continue;
        out[at] = { ...out[at]!, module: { ...name, root: taken(path, name) } };
      }
    }
    for (const k of left) {
      const at = group[k]!;
      if (paths[k] !== layers[at]!.path)
        out[at] = {
          ...out[at]!,
          module: { root: '', path: paths[k]!, family: 'other', known: paths[k]! },
        };
    }
  }
  return out;
}

/** The name of a layer's module; without one of its own, its path. */
export const moduleOf = ({ path, module }: Pick<Layer, 'path' | 'module'>): ModuleName =>
  module ?? { root: '', path, family: 'other', known: path };

/** Marks the text encoders of a model that has several. */
export function withEncoders(layers: readonly Layer[], encoders: number): Layer[] {
  if (encoders < 2) return [...layers];
  return layers.map((layer) =>
    layer.part?.startsWith('text_encoder')
      ? { ...layer, module: { ...moduleOf(layer), several: true } }
      : layer,
  );
}

/** Layers of a text encoder: by their part, or where the model has no parts, by their names. */
export const isText = (layer: Layer): boolean =>
  layer.part === undefined ? layer.module?.family === 'clip' : layer.part.startsWith('text_encoder');

/** What stands before the names of a part's modules in the export. */
export interface Root {
  readonly part?: string;
  readonly root: string;
  /** Layers that it stands before. */
  readonly layers: number;
}

/** What was found before the names of a model's modules. */
export function rootsOf(layers: readonly Layer[]): Root[] {
  const counts = new Map<string, { part?: string; root: string; layers: number }>();
  for (const layer of layers) {
    const { root } = moduleOf(layer);
    if (root === '') continue;
    const key = `${layer.part ?? ''}\n${root}`;
    const known = counts.get(key);
    if (known) known.layers++;
    else counts.set(key, { ...(layer.part !== undefined && { part: layer.part }), root, layers: 1 });
  }
  return [...counts.values()];
}
