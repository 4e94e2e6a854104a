/** @file kohya's network arguments: `network_args = ["algo=diag-oft", …]` of a config file, or the words of a command line. */
import type { LayerSettings, Plan, Rule } from '#src/oft/types.ts';
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
  shareIn,
  shown,
  type Table,
  textsIn,
  wholeIn,
} from './imports.ts';
import { nearest } from '../nearest.ts';
import { defaultPlan } from './plan.ts';
import { isPresetName, presetNames, presetSelection } from './presets.ts';
import { selectionRules } from './selection.ts';

/** Arguments by name, as texts or as the config file has them. */
type Arguments = ReadonlyMap<string, unknown>;

const moduleKeys = ['network_module', 'network_dim', 'network_alpha', 'network_dropout', 'network_args'];
const known = ['algo', 'preset', 'conv_dim', 'constraint', 'rescaled', 'rank_dropout', 'module_dropout'];

/** `key=value` words; a word without a sign of equality is a fault. */
const pairs = (words: readonly string[]): [string, string][] =>
  words.map((word) => {
    const at = word.indexOf('=');
    return at > 0
      ? [word.slice(0, at).trim(), word.slice(at + 1).trim()]
      : refuse('network_args', word, 'words of the form key=value, such as algo=diag-oft');
  });

/** The words of a command line, quotes taken off. */
const words = (line: string): string[] =>
  [...line.replaceAll(/\\\r?\n/g, ' ').matchAll(/(?:"[^"]*"|'[^']*'|[^\s"',[\]])+/g)].map(([word]) =>
    word.replaceAll(/["']/g, ''),
  );

/** `--network_module=lycoris.kohya --network_dim 8 --network_args algo=boft preset=full`, or only the words of `network_args`. */
export function argumentsOfLine(line: string): Arguments {
  const found = new Map<string, unknown>();
  const list = words(line);
  const skipped: string[] = [];
  let option: string | undefined;
  for (const word of list) {
    if (word.startsWith('--')) {
      const [name, ...rest] = word.slice(2).split('=');
      option = name;
      if (rest.length > 0 && moduleKeys.includes(name!)) found.set(name!, rest.join('='));
    } else if (option !== undefined && option !== 'network_args') {
      if (moduleKeys.includes(option)) found.set(option, word);
    } else if (word.includes('=')) {
      const [[key, value]] = pairs([word]) as [[string, string]];
      found.set(key, value);
    } else skipped.push(word);
  }
  if (found.size === 0)
    throw new JobError(
      `There are no network arguments here. Write them as key=value words, such as algo=diag-oft preset=full.`,
    );
  if (skipped.length > 0) pairs(skipped);
  return found;
}

/** The arguments of a config file's table, also where they lie in a section of it, or of `ss_network_args`. */
export function argumentsOfTable(table: Table): Arguments | undefined {
  const sections = [table, ...Object.values(table).filter(isTable)];
  const section = sections.find((s) => moduleKeys.some((key) => s[key] !== undefined));
  if (!section)
    return table.algo !== undefined || table.preset !== undefined
      ? new Map(Object.entries(table))
      : undefined;
  const args = section.network_args;
  const own = Object.entries(section).filter(([key]) => moduleKeys.includes(key) && key !== 'network_args');
  const given = isTable(args)
    ? Object.entries(args)
    : typeof args === 'string'
      ? pairs(words(args))
      : pairs(args === undefined ? [] : textsIn('network_args', args));
  return new Map<string, unknown>([...own, ...given]);
}

/** kohya's own OFT (`networks.oft`): blocks by count, alpha as the constraint, the UNet's attention unless told otherwise. */
function ownOft(args: Arguments, notes: string[]): Plan {
  const has = (key: string): boolean => (args.get(key) ?? '') !== '';
  const conv = has('enable_conv');
  const alpha = args.has('network_alpha') ? notNegativeIn('network_alpha', args.get('network_alpha')) : 1e-3;
  if (alpha === 0)
    notes.push(
      'network_alpha is 0: kohya’s networks.oft then turns nothing at all; here 0 means no constraint.',
    );
  const rest = [...args.keys()].filter(
    (key) =>
      !['network_module', 'network_dim', 'network_alpha', 'enable_all_linear', 'enable_conv'].includes(key),
  );
  if (rest.length > 0) notes.push(`networks.oft does not read ${many(rest)}; left out here too.`);
  return {
    ...defaultPlan,
    blocks: { count: args.has('network_dim') ? wholeIn('network_dim', args.get('network_dim'), 1) : 4 },
    constraint: alpha,
    rules: selectionRules({
      enableConv: conv,
      classes: [
        has('enable_all_linear') ? 'Transformer2DModel' : 'Attention',
        ...(conv ? ['ResnetBlock2D', 'Downsample2D', 'Upsample2D'] : []),
      ],
    }),
  };
}

/** Rules of the preset that the arguments name; LyCORIS's default is `full`. */
function presetRules(args: Arguments, dim: number, notes: string[]): readonly Rule[] {
  const name = shown(args.get('preset') ?? 'full');
  const given = args.get('conv_dim');
  const convDim = given === undefined || given === '' ? dim : wholeIn('conv_dim', given, 0);
  if (name === 'ia3')
    throw new JobError(
      'preset is ia3, which is made for IA³, not for OFT. Choose another one, such as full.',
      'preset',
    );
  if (!isPresetName(name)) {
    const meant = /[./\\]/.test(name) ? undefined : nearest(name, presetNames);
    if (meant)
      throw new JobError(`preset is ${name}, which LyCORIS does not have. Did you mean ${meant}?`, 'preset');
    notes.push(`The preset is a file, ${name}: import it as well. Until then all layers are adapted.`);
    return convDim === dim
      ? []
      : selectionRules({ enableConv: convDim > 0, convDim, classes: ['Linear', 'Conv2d'] });
  }
  const selection = presetSelection(name);
  return selectionRules({
    ...selection,
    enableConv: selection.enableConv && convDim > 0,
    ...(convDim !== dim && { convDim }),
  });
}

/** A plan from kohya's arguments. Throws JobError for another network than OFT, and values that cannot be meant. */
export function planFromArguments(args: Arguments): ImportedPlan {
  const notes: string[] = [];
  const module = shown(args.get('network_module') ?? 'lycoris.kohya');
  if (module === 'networks.oft') return { plan: ownOft(args, notes), notes };
  if (module !== 'lycoris.kohya' && module !== 'lycoris')
    throw new JobError(
      `network_module is ${module}, which is not OFT as Rotune trains it. Read here: lycoris.kohya and networks.oft.`,
      'network_module',
    );
  const algorithm = args.has('algo') ? oftAlgorithm(args.get('algo')) : 'diag';
  if (algorithm === undefined)
    throw new JobError(
      `algo is ${shown(args.get('algo'))}; Rotune trains OFT only. Write algo=diag-oft or algo=boft.`,
      'algo',
    );
  if (!args.has('algo')) notes.push('algo is not given: LyCORIS would train LoRA; diag-oft was taken.');
  const dim = args.has('network_dim') ? wholeIn('network_dim', args.get('network_dim'), 1) : 4;
  if (!args.has('network_dim')) notes.push('network_dim is not given: 4, LyCORIS’s default, was taken.');
  const settings: { -readonly [K in keyof LayerSettings]?: LayerSettings[K] } = {
    algorithm,
    blocks: { dim },
  };
  const ignored: string[] = [];
  const left: string[] = [];
  for (const [key, value] of args) {
    if (key === 'constraint' || key === 'constrain')
      settings.constraint = value === '' ? 0 : notNegativeIn(key, value);
    else if (key === 'rescaled') settings.rescale = flagIn(value);
    else if (key === 'module_dropout') settings.moduleDropout = shareIn(key, value);
    else if (key === 'rank_dropout') {
      settings.rankDropout = shareIn(key, value);
      if (settings.rankDropout > 0)
        notes.push(
          'rank_dropout: LyCORIS zeroes entries of the rotation, which breaks it from the first step; here whole blocks stay unturned for a step, as BOFT means it.',
        );
    } else if (key === 'bypass_mode') {
      if (flagIn(value))
        notes.push('bypass_mode also turns the bias in LyCORIS; Rotune never does: left out.');
    } else if (key === 'network_alpha' || key === 'network_dropout' || ignoredByOft.has(key))
      ignored.push(key);
    else if (!['network_module', 'network_dim', 'algo', 'preset', 'conv_dim'].includes(key)) left.push(key);
  }
  if (ignored.length > 0)
    notes.push(`${many(ignored)}: taken by LyCORIS, but without effect on OFT; left out here.`);
  for (const key of left) {
    const meant = nearest(key, known);
    notes.push(`${key} was not carried over${meant ? ` (did you mean ${meant}?)` : ''}.`);
  }
  return { plan: { ...defaultPlan, ...settings, rules: presetRules(args, dim, notes) }, notes };
}
