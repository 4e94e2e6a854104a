/**
 * @file Finds out by which scheme a file names layers: a prefix, dotted or flat, and which of a module's names follows (the Python model's own,
 * diffusers', Stable Diffusion's original ones, with or without the level text_model, with what a wrapper put before it).
 */
import { isText, moduleOf } from '#src/oft/modules/tree.ts';
import type { Layer } from '#src/oft/types.ts';
import { Misfit } from '../errors.ts';

/** What stands before a module's name, with its joint: `lora_unet_`, `unet.`. */
interface Scheme {
  readonly prefix: string;
  readonly dotted: boolean;
}

const flat = (...prefixes: string[]): Scheme[] =>
  prefixes.map((prefix) => ({ prefix: `${prefix}_`, dotted: false }));
const dotted = (...prefixes: string[]): Scheme[] =>
  prefixes.map((prefix) => ({ prefix: prefix === '' ? '' : `${prefix}.`, dotted: true }));

/** oft_unet: kohya's own OFT; diffusion_model: ComfyUI's; base_model.model: PEFT's; unet, transformer: OneTrainer's and diffusers'. */
const main: readonly Scheme[] = [
  ...flat('lycoris', 'lora_unet', 'lora_transformer', 'oft_unet', 'lora_prior_unet', 'lycoris_unet'),
  ...dotted(
    ...['diffusion_model', 'model.diffusion_model', 'lora_unet', 'unet', 'transformer', 'base_model.model'],
    ...['base_model.model.unet', 'base_model.model.transformer', ''],
  ),
];

/** By the number of the text encoder; the most usual first. */
const textSchemes: readonly (readonly Scheme[])[] = [
  [
    ...flat('lora_te', 'lora_te1', 'oft_te', 'oft_te1', 'lora_prior_te'),
    ...dotted(
      'text_encoder',
      'clip_l',
      'text_encoders.clip_l.transformer',
      'text_encoders.clip_h.transformer',
    ),
    ...dotted('base_model.model.text_encoder'),
  ],
  [
    ...flat('lora_te2', 'oft_te2', 'lora_te3'),
    ...dotted(
      'text_encoder_2',
      'clip_g',
      'text_encoders.clip_g.transformer',
      'base_model.model.text_encoder_2',
    ),
    ...dotted('t5xxl', 'text_encoders.t5xxl.transformer'),
  ],
  [
    ...flat('lora_te3', 'lora_te2'),
    ...dotted(
      'text_encoder_3',
      't5xxl',
      'text_encoders.t5xxl.transformer',
      'base_model.model.text_encoder_3',
    ),
  ],
];

const encoderOf = (layer: Layer): number => Number(/\d+$/.exec(layer.part ?? '')?.[0] ?? 1);

/** Names of any model: a text encoder may be saved by a tool that does not know it as one. */
const anyOf = dotted('base_model.model', '').concat(flat('lycoris', 'lora_unet'));

function schemesOf(group: readonly Layer[], alone: boolean): readonly Scheme[] {
  const first = group[0]!;
  const texts = textSchemes[Math.min(encoderOf(first), 3) - 1]!;
  if (isText(first)) return [...texts, ...anyOf, ...(alone ? textSchemes.flat() : [])];
  return alone ? [...main, ...textSchemes.flat()] : main;
}

/** All names that a layer's module has, the likeliest first. */
function namesOf(layer: Layer): string[] {
  const { path, known, original } = moduleOf(layer);
  const names = [path, known, ...(original === undefined ? [] : [original]), layer.path];
  // Whatever the exporter's version, files have the level text_model or have it not.
  for (const name of [path, known])
    names.push(name.startsWith('text_model.') ? name.slice('text_model.'.length) : `text_model.${name}`);
  return [...new Set(names)];
}

const stemOf = ({ prefix, dotted: dots }: Scheme, name: string): string =>
  `${prefix}${dots ? name : name.replaceAll('.', '_')}`;

/** Stems by the form that is compared: as they are, or regardless of case. */
type Present = ReadonlyMap<string, string>;

interface Found {
  readonly scheme: Scheme;
  /** The file's stem by layer, where it has one. */
  readonly stems: ReadonlyMap<Layer, string>;
}

function match(
  scheme: Scheme,
  layers: readonly Layer[],
  present: Present,
  form: (x: string) => string,
): Found {
  const stems = new Map<Layer, string>();
  for (const layer of layers)
    for (const name of namesOf(layer)) {
      const stem = present.get(form(stemOf(scheme, name)));
      if (stem === undefined) continue;
      stems.set(layer, stem);
      break;
    }
  return { scheme, stems };
}

/** Prefixes that no tool is known for: whatever stands before the names of most layers. */
function unknownSchemes(layers: readonly Layer[], present: Present): Scheme[] {
  const votes = new Map<string, number>();
  const names = layers.flatMap(namesOf);
  // A few stems show what stands before all of them.
  for (const stem of [...present.keys()].slice(0, 64))
    for (const name of names)
      for (const form of new Set([name, name.replaceAll('.', '_')])) {
        const own = form.toLowerCase();
        const joint = stem.charAt(stem.length - own.length - 1);
        if (!stem.endsWith(own) || (joint !== '.' && joint !== '_')) continue;
        const prefix = stem.slice(0, stem.length - own.length);
        votes.set(prefix, (votes.get(prefix) ?? 0) + 1);
      }
  return [...votes]
    .sort(([a, m], [b, n]) => n - m || a.length - b.length)
    .slice(0, 4)
    .flatMap(([prefix]) => [true, false].map((dots) => ({ prefix, dotted: dots })));
}

const largest = (all: readonly Found[]): Found => all.reduce((a, b) => (b.stems.size > a.stems.size ? b : a));

function best(
  group: readonly Layer[],
  present: ReadonlySet<string>,
  alone: boolean,
  anything: boolean,
): Found {
  const exact = new Map([...present].map((stem) => [stem, stem]));
  const schemes = schemesOf(group, alone);
  const found = largest(schemes.map((scheme) => match(scheme, group, exact, (x) => x)));
  if (found.stems.size > 0) return found;
  const lower = (x: string): string => x.toLowerCase();
  const folded = new Map([...present].map((stem) => [lower(stem), stem]));
  const other = largest(schemes.map((scheme) => match(scheme, group, folded, lower)));
  if (other.stems.size > 0 || !anything) return other;
  return largest([
    other,
    ...unknownSchemes(group, folded).map((scheme) => match(scheme, group, folded, lower)),
  ]);
}

export interface ResolvedNames {
  /** What stands before the names of most layers, without its joint. */
  readonly prefix: string;
  /** Stem by layer, in the order of the layers; also of layers that the file lacks. */
  readonly stems: ReadonlyMap<Layer, string>;
  readonly found: number;
}

/** The name that most of the found layers have, as a place in their lists of names: what a missing layer would be called. */
function usual(found: Found): number {
  const votes = new Map<number, number>();
  for (const [layer, stem] of found.stems) {
    const at = namesOf(layer).findIndex(
      (name) => stemOf(found.scheme, name).toLowerCase() === stem.toLowerCase(),
    );
    votes.set(at, (votes.get(at) ?? 0) + 1);
  }
  return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 0;
}

/**
 * Finds the scheme of names in a file from the stems that it has: for each text encoder and for all other layers.
 * @throws FormatError where one name of the file stands for two layers.
 */
export function resolveNames(present: ReadonlySet<string>, layers: readonly Layer[]): ResolvedNames {
  const groups = new Map<string, Layer[]>();
  for (const layer of layers) {
    const key = isText(layer) ? `text ${encoderOf(layer)}` : '';
    const group = groups.get(key);
    if (group) group.push(layer);
    else groups.set(key, [layer]);
  }
  const search = (anything: boolean): Map<string, Found> =>
    new Map([...groups].map(([key, group]) => [key, best(group, present, groups.size === 1, anything)]));
  let found = search(false);
  if ([...found.values()].every(({ stems }) => stems.size === 0)) found = search(true);
  const stems = new Map<Layer, string>();
  const taken = new Map<string, Layer>();
  const places = new Map([...found].map(([key, own]) => [key, usual(own)]));
  for (const layer of layers) {
    const key = isText(layer) ? `text ${encoderOf(layer)}` : '';
    const own = found.get(key)!;
    const names = namesOf(layer);
    const stem = own.stems.get(layer) ?? stemOf(own.scheme, names[places.get(key)!] ?? names[0]!);
    stems.set(layer, stem);
    if (!own.stems.has(layer)) continue;
    const other = taken.get(stem);
    if (other)
      throw new Misfit(
        `The file has one name, ${stem}, for two layers of this model: ${other.path} and ${layer.path}. It cannot be told which is meant.`,
      );
    taken.set(stem, layer);
  }
  const winner = found.size > 0 ? largest([...found.values()]) : undefined;
  return { prefix: (winner?.scheme.prefix ?? '').replace(/[._]$/, ''), stems, found: taken.size };
}
