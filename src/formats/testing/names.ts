/** @file Names of real models' layers (e2e/golden/names/make.py), as layers to adapt. */
import { nameModules } from '#src/oft/modules/tree.ts';
import type { Layer } from '#src/oft/types.ts';
import { golden } from './models.ts';
import { testLayer } from './adapters.ts';

interface Names {
  readonly trees: Readonly<Record<'clip_l' | 'clip_g' | 't5' | 'flux' | 'sd3', readonly string[]>>;
  /** Original name by diffusers' name. */
  readonly unets: Readonly<Record<'sd15' | 'sdxl', Readonly<Record<string, string>>>>;
}

export const { trees, unets } = golden('names/names.json') as Names;

/** Layers of width 8 with these names, named as a model's layers are when it is opened. */
export const layersOf = (paths: readonly string[], part?: string): Layer[] =>
  nameModules(paths.map((path) => testLayer(path, 8, 8))).map((layer) =>
    part === undefined ? layer : { ...layer, part },
  );
