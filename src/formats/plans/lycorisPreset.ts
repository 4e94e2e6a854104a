/** @file LyCORIS's preset files (TOML): which layers get an adapter, and with which settings. */
import type { LayerSettings, Rule } from '#src/oft/types.ts';
import { JobError } from '../errors.ts';
import {
  flagIn,
  ignoredByOft,
  type ImportedPlan,
  isTable,
  many,
  notNegativeIn,
  oftAlgorithm,
  refuse,
  shown,
  type Table,
  textsIn,
  wholeIn,
} from './imports.ts';
import { classRegex, moduleClass } from './moduleClasses.ts';
import { nearest } from '../nearest.ts';
import { defaultPlan } from './plan.ts';
import { defaultTargets } from './presets.ts';
import { fromFnmatch, fromPython } from './pythonRegex.ts';
import { type Override, type Selection, selectionRules } from './selection.ts';
import { parseToml } from '../files/toml.ts';

export const presetKeys = [
  'enable_conv',
  'target_module',
  'target_name',
  'module_algo_map',
  'name_algo_map',
  'lora_prefix',
  'use_fnmatch',
  'unet_target_module',
  'unet_target_name',
  'text_encoder_target_module',
  'text_encoder_target_name',
  'exclude_name',
] as const;

const kohyaTargets = Object.keys(defaultTargets) as (keyof typeof defaultTargets)[];

/** The settings of one entry of `module_algo_map` or `name_algo_map`. */
function overrideOf(key: string, value: unknown, notes: string[]): Override {
  if (!isTable(value)) return refuse(key, value, 'a table such as { dim = 8, algo = "diag-oft" }');
  const settings: { -readonly [K in keyof LayerSettings]?: LayerSettings[K] } = {};
  const ignored: string[] = [];
  const unknown: string[] = [];
  for (const [name, x] of Object.entries(value)) {
    const full = `${key}.${name}`;
    if (name === 'algo') {
      const algorithm = oftAlgorithm(x);
      if (algorithm === undefined) {
        notes.push(`${key} asks for algo ${shown(x)}, which is not OFT: its layers are skipped.`);
        return { settings: {}, skip: true };
      }
      settings.algorithm = algorithm;
    } else if (name === 'dim') settings.blocks = { dim: wholeIn(full, x, 1) };
    else if (name === 'constraint' || name === 'constrain') settings.constraint = notNegativeIn(full, x);
    else if (name === 'rescaled') settings.rescale = flagIn(x);
    else if (ignoredByOft.has(name)) ignored.push(name);
    else unknown.push(name);
  }
  if (ignored.length > 0) notes.push(`${key} sets ${many(ignored)}: no effect on OFT, in LyCORIS and here.`);
  if (unknown.length > 0) notes.push(`${key} sets ${many(unknown)}, which was not carried over.`);
  return { settings };
}

/** Patterns as expressions over whole paths; those that JavaScript cannot have are noted and left out. */
const anchored = (patterns: readonly string[], fnmatch: boolean, key: string, notes: string[]): string[] =>
  patterns.flatMap((pattern) => {
    if (fnmatch) return `^${fromFnmatch(pattern)}$`;
    const source = fromPython(pattern);
    if (source === undefined) {
      notes.push(
        `${key} has the pattern ${pattern}, which cannot be read as a regular expression here: left out.`,
      );
      return [];
    }
    return `^(?:${source})`;
  });

/** Classes that the table of paths knows; the others are noted. */
function knownClasses(names: readonly string[], key: string, notes: string[]): string[] {
  const unknown = names.filter((name) => !moduleClass(name));
  const adaptable = unknown.filter((name) => !/Norm/.test(name));
  if (adaptable.length > 0)
    notes.push(
      `${key} names the module class${adaptable.length > 1 ? 'es' : ''} ${many(adaptable)}. ONNX files hold no classes, and where these lie is not known here: add rules by name for their layers.`,
    );
  return names.filter((name) => moduleClass(name));
}

/**
 * Exclusions. LyCORIS leaves out a module whose own path matches, and all below it only where that module is itself a target: with
 * `re.match`, a pattern matches whatever follows anyway; with `fnmatch` it does not.
 */
function exclusions(
  patterns: readonly string[],
  fnmatch: boolean,
  targets: readonly string[],
  notes: string[],
): string[] {
  const expressions = anchored(patterns, fnmatch, 'exclude_name', notes);
  const target = classRegex(targets)?.replace(/\(\?:\\\.\|\$\)$/, '');
  return fnmatch && target !== undefined
    ? expressions.map((e) => `${e}|${e.slice(0, -1)}(?<=${target})\\.`)
    : expressions;
}

const partNames = { unet: ['unet'], text_encoder: ['text_encoder', 'text_encoder_2'] } as const;

/**
 * Skips the part of the model that a preset leaves alone, where a list of names for the other part could match there too: classes and
 * LyCORIS's own names (conv_in, …) tell the parts apart by themselves.
 */
function otherPart(table: Table): Rule[] {
  const isEmpty = (key: string): boolean => Array.isArray(table[key]) && table[key].length === 0;
  const free = (key: 'unet_target_name' | 'text_encoder_target_name'): boolean =>
    Array.isArray(table[key]) &&
    table[key].some((name) => !(defaultTargets.unet_target_name as readonly unknown[]).includes(name));
  const skip = (part: 'unet' | 'text_encoder', other: 'unet' | 'text_encoder'): Rule[] =>
    isEmpty(`${part}_target_module`) && isEmpty(`${part}_target_name`) && free(`${other}_target_name`)
      ? partNames[part].map((name) => ({ match: { part: name }, skip: true }))
      : [];
  return [...skip('text_encoder', 'unet'), ...skip('unet', 'text_encoder')];
}

/** A preset's table as a plan. Throws JobError for keys that LyCORIS refuses too, and values that cannot be meant. */
export function planFromPreset(table: Table): ImportedPlan {
  const notes: string[] = [];
  for (const key of Object.keys(table))
    if (!(presetKeys as readonly string[]).includes(key)) {
      const meant = nearest(key, presetKeys);
      throw new JobError(
        `${key} is not a key of LyCORIS presets. ${meant ? `Did you mean ${meant}?` : `Known: ${many(presetKeys)}.`}`,
        key,
      );
    }
  const fnmatch = table.use_fnmatch !== undefined && table.use_fnmatch !== false;
  const texts = (key: string): readonly string[] | undefined =>
    table[key] === undefined ? undefined : textsIn(key, table[key]);
  const kohya =
    kohyaTargets.some((key) => table[key] !== undefined) ||
    (table.target_module === undefined && table.target_name === undefined);
  const own = ['target_module', 'target_name'].filter((key) => table[key] !== undefined);
  if (kohya && own.length > 0)
    notes.push(
      `${many(own)} and the unet_/text_encoder_ lists are for two ways of calling LyCORIS; the latter were taken, as kohya does.`,
    );
  const targetsOf = (key: keyof typeof defaultTargets): readonly string[] =>
    texts(key) ?? defaultTargets[key];
  const classes = kohya
    ? [...targetsOf('unet_target_module'), ...targetsOf('text_encoder_target_module')]
    : (texts('target_module') ?? ['Linear', 'Conv2d']);
  const names = kohya
    ? [...targetsOf('unet_target_name'), ...targetsOf('text_encoder_target_name')]
    : (texts('target_name') ?? []);
  const silent = kohyaTargets.filter((key) => table[key] === undefined && defaultTargets[key].length > 0);
  if (kohya && silent.length > 0)
    notes.push(`${many(silent)} is not set: LyCORIS's own default, as in its preset full, was taken.`);
  const overrides = (key: 'module_algo_map' | 'name_algo_map'): [string, Override][] => {
    const map = table[key] ?? {};
    if (!isTable(map)) return refuse(key, map, 'a table');
    return Object.entries(map).map(([name, value]) => [name, overrideOf(`${key}.${name}`, value, notes)]);
  };
  const byClass = overrides('module_algo_map');
  const byName = overrides('name_algo_map');
  // The wrapper (create_lycoris) also adapts whatever the maps name; kohya's network does not.
  const targets = kohya ? classes : [...classes, ...byClass.map(([name]) => name)];
  const targetNames = kohya ? names : [...names, ...byName.map(([name]) => name)];
  const known = knownClasses([...new Set(targets)], kohya ? 'The preset' : 'target_module', notes);
  const classOverrides = byClass.filter(([name]) => moduleClass(name));
  if (kohya)
    knownClasses(
      byClass.map(([name]) => name).filter((name) => !targets.includes(name)),
      'module_algo_map',
      notes,
    );
  if (table.lora_prefix !== undefined)
    notes.push(`lora_prefix is about names in the adapter file, not about the plan: choose it when saving.`);
  const selection: Selection = {
    enableConv: table.enable_conv === undefined || flagIn(table.enable_conv),
    classes: known,
    names: anchored([...new Set(targetNames)], fnmatch, 'The target names', notes),
    nameOverrides: byName.flatMap(([pattern, override]) =>
      anchored([pattern], fnmatch, 'name_algo_map', notes).map((regex) => ({ regex, override })),
    ),
    classOverrides: classOverrides.map(([name, override]) => ({ name, override })),
    exclude: exclusions(texts('exclude_name') ?? [], fnmatch, known, notes),
  };
  const rules = [...(kohya ? otherPart(table) : []), ...selectionRules(selection)];
  return { plan: { ...defaultPlan, rules }, notes };
}

/** Reads a LyCORIS preset file. Block choice, constraint and the like that it leaves open are LyCORIS's defaults (dim 4). */
export function importLycorisPreset(text: string): ImportedPlan {
  const table = parseToml(text);
  return isTable(table) ? planFromPreset(table) : refuse('The preset', table, 'a table');
}
