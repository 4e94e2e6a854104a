/** @file The names that layers are written under in adapter files: a prefix and the module's name, flattened (`.` → `_`) or dotted. */
import type { Layer } from '../types.ts';
import { isText, moduleOf } from './tree.ts';

/** What stands before the module path. `lycoris`: the LyCORIS wrapper's own default, also read by ComfyUI; the rest: kohya's. */
export const prefixes = ['lycoris', 'lora_unet', 'lora_te', 'lora_te1', 'lora_te2', 'lora_te3'] as const;
export type Prefix = (typeof prefixes)[number];

/** Kinds of file whose keys name layers. */
export type KeyedFormat = 'lycoris' | 'comfyui' | 'peft' | 'oft_r' | 'diff';

export const flatName = (prefix: string, path: string): string => `${prefix}_${path.replaceAll('.', '_')}`;

/** kohya's prefix of a text encoder. T5 is the third of SD3 and of Flux, which has no second; OneTrainer counts Flux's as its second. */
export function textPrefix(layer: Layer, oneTrainer = false): string {
  const { family, several } = moduleOf(layer);
  const number = Number(/\d+$/.exec(layer.part ?? '')?.[0] ?? 1);
  if (family === 't5' && number > 1) return `lora_te${oneTrainer ? number : 3}`;
  return number > 1 || several ? `lora_te${number}` : 'lora_te';
}

/** Where each kind of file has its readers: ComfyUI and A1111 know kohya's prefix, LyCORIS's wrapper its own by default. */
function ownPrefix(format: KeyedFormat, layer: Layer): string {
  const { family } = moduleOf(layer);
  const unet = family === 'unet' || family === 'ldm';
  if (format === 'lycoris') return 'lycoris';
  if (format === 'oft_r') return family === 'transformer' ? 'lora_transformer' : 'lora_unet';
  return unet || family === 'dit' ? 'lora_unet' : 'lycoris';
}

/**
 * A layer's key in a file, without the parameter at its end. LyCORIS and PEFT look for the module of the Python model, wrappers left out;
 * text encoders of CLIP have the level `text_model` in every flat file, whatever the exporter's version.
 * @param prefix instead of the format's own
 */
export function keyOf(format: KeyedFormat, layer: Layer, prefix?: Prefix): string {
  const { path, known, family } = moduleOf(layer);
  if (format === 'peft') return `base_model.model.${path}`;
  if (isText(layer))
    return flatName(prefix?.startsWith('lora_te') ? prefix : textPrefix(layer, format === 'oft_r'), known);
  // Every reader of kohya's prefix but trainers knows the original names of a UNet that has them.
  const own = format === 'lycoris' || (family === 'ldm' && format !== 'oft_r');
  return flatName(prefix ?? ownPrefix(format, layer), own ? path : known);
}
