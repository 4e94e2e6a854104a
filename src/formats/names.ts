/** @file What adapter files call a layer: a prefix and the module path, flattened (`.` → `_`) or dotted. */
import type { Layer } from '#src/oft/types.ts';
import { FormatError } from './errors.ts';

/** What stands before the module path. `lycoris`: the LyCORIS wrapper's own default, also read by ComfyUI; the rest: kohya's. */
export const prefixes = ['lycoris', 'lora_unet', 'lora_te', 'lora_te1', 'lora_te2'] as const;
export type Prefix = (typeof prefixes)[number];

/** One scheme of names. */
export interface Naming {
  readonly prefix: string;
  readonly dotted: boolean;
  /** Used for text encoders only. */
  readonly text: boolean;
}

const flat = (prefix: string, text = false): Naming => ({ prefix, dotted: false, text });
const dotted = (prefix: string, text = false): Naming => ({ prefix, dotted: true, text });

/**
 * Every scheme that is read. oft_unet: kohya's own OFT; diffusion_model: ComfyUI's; base_model.model: PEFT's; unet, transformer,
 * clip_l, clip_g: OneTrainer's and diffusers'.
 */
export const namings: readonly Naming[] = [
  flat('lycoris'),
  flat('lora_unet'),
  flat('lora_te', true),
  flat('lora_te1', true),
  flat('lora_te2', true),
  flat('lora_transformer'),
  flat('oft_unet'),
  flat('oft_te', true),
  flat('oft_te1', true),
  flat('oft_te2', true),
  dotted('diffusion_model'),
  dotted('lora_unet'),
  dotted('unet'),
  dotted('transformer'),
  dotted('text_encoder', true),
  dotted('clip_l', true),
  dotted('clip_g', true),
  dotted('base_model.model'),
  dotted(''),
];

export const flatName = (prefix: string, path: string): string => `${prefix}_${path.replaceAll('.', '_')}`;

/** A layer's key without the parameter at its end. */
export const stemOf = ({ prefix, dotted: dots }: Naming, path: string): string =>
  dots ? (prefix === '' ? path : `${prefix}.${path}`) : flatName(prefix, path);

const isText = (layer: Layer): boolean => layer.part?.startsWith('text_encoder') ?? false;

/**
 * The flat names that layers are written under: `prefix`, and kohya's for layers of text encoders in a file with others.
 * @throws FormatError where two layers would get one name.
 */
export function flatNames(layers: readonly Layer[], prefix: Prefix): Map<Layer, string> {
  const two = layers.some((l) => l.part === 'text_encoder_2');
  const names = new Map<Layer, string>();
  const taken = new Map<string, Layer>();
  for (const layer of layers) {
    const own = !isText(layer) || prefix.startsWith('lora_te');
    const name = flatName(
      own ? prefix : layer.part === 'text_encoder_2' ? 'lora_te2' : two ? 'lora_te1' : 'lora_te',
      layer.path,
    );
    const other = taken.get(name);
    if (other)
      throw new FormatError(
        `LyCORIS has one name, ${name}, for two layers: ${other.path} and ${layer.path}. Skip one of them by a rule.`,
      );
    taken.set(name, layer);
    names.set(layer, name);
  }
  return names;
}

export interface ResolvedNames {
  /** The scheme that most layers were found by. */
  readonly naming: Naming;
  /** Stem by layer, in the order of the layers; also of layers that the file lacks. */
  readonly stems: ReadonlyMap<Layer, string>;
  readonly found: number;
}

/**
 * Finds the scheme of names in a file from the stems that it has.
 * @throws FormatError where one name of the file stands for two layers.
 */
export function resolveNames(present: ReadonlySet<string>, layers: readonly Layer[]): ResolvedNames {
  const best = (some: readonly Layer[], fits: (n: Naming) => boolean): { naming: Naming; count: number } =>
    namings
      .filter(fits)
      .map((naming) => ({
        naming,
        count: some.reduce((n, l) => n + Number(present.has(stemOf(naming, l.path))), 0),
      }))
      .reduce((a, b) => (b.count > a.count ? b : a));
  const texts = layers.filter(isText);
  const others = layers.filter((l) => !isText(l));
  const main = best(others, (n) => texts.length === 0 || !n.text);
  const part = (name: string | undefined) =>
    best(
      texts.filter((l) => l.part === name),
      (n) => others.length === 0 || n.text,
    );
  const byPart = new Map([...new Set(texts.map((l) => l.part))].map((name) => [name, part(name)]));
  const stems = new Map<Layer, string>();
  const taken = new Map<string, Layer>();
  let found = 0;
  for (const layer of layers) {
    const { naming } = isText(layer) ? byPart.get(layer.part)! : main;
    const stem = stemOf(naming, layer.path);
    stems.set(layer, stem);
    if (!present.has(stem)) continue;
    const other = taken.get(stem);
    if (other)
      throw new FormatError(
        `The file has one name, ${stem}, for two layers of this model: ${other.path} and ${layer.path}. It cannot be told which is meant.`,
      );
    taken.set(stem, layer);
    found++;
  }
  const winner = [main, ...byPart.values()].reduce((a, b) => (b.count > a.count ? b : a));
  return { naming: winner.naming, stems, found };
}

/** "a", "a and b", "a, b and 3 more": layers for a sentence. */
export function listed(layers: readonly { readonly path: string }[]): string {
  const paths = layers.map((l) => l.path);
  if (paths.length <= 2) return paths.join(' and ');
  return `${paths.slice(0, 2).join(', ')} and ${paths.length - 2} more`;
}
