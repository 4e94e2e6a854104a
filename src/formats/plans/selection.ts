/** @file From what a LyCORIS preset selects to rules: by module class and by name, with settings of their own, convolutions on or off. */
import type { LayerSettings, Match, Rule } from '#src/oft/types.ts';
import { classRegex, moduleClass } from './moduleClasses.ts';
import { joined } from './pythonRegex.ts';

/** What layers of a class or name get in place of the plan's settings. */
export interface Override {
  readonly settings: Partial<LayerSettings>;
  /** Not adapted: an algorithm that is not OFT. */
  readonly skip?: boolean;
}

/**
 * Layers in a module of one of the `classes`, or whose path matches one of the `names`. Regular expressions here must match somewhere
 * in a layer's path; LyCORIS's `re.match` becomes `^(?:…)`.
 */
export interface Selection {
  readonly enableConv: boolean;
  readonly classes: readonly string[];
  readonly names?: readonly string[];
  /** Settings by name, the first that matches, before those by class, the innermost first. */
  readonly nameOverrides?: readonly { readonly regex: string; readonly override: Override }[];
  readonly classOverrides?: readonly { readonly name: string; readonly override: Override }[];
  readonly exclude?: readonly string[];
  /** LyCORIS's conv_dim, for kernels larger than 1. */
  readonly convDim?: number;
}

const everything: Match = {};

/** Matches of modules of any of the classes: their paths, and layers that are of a class themselves. */
function classMatches(names: readonly string[]): Match[] {
  const regex = classRegex(names);
  const kinds = [...new Set(names.flatMap((name) => moduleClass(name)?.kind ?? []))];
  if (kinds.length === 2) return [everything];
  return [...kinds.map((kind): Match => ({ kind })), ...(regex === undefined ? [] : [{ regex }])];
}

/** Layers that both match; undefined: none can. */
function both(a: Match, b: Match): Match | undefined {
  if (a.kind && b.kind && a.kind !== b.kind) return undefined;
  const regex =
    a.regex === undefined || a.regex === b.regex
      ? b.regex
      : b.regex === undefined
        ? a.regex
        : `^(?=.*(?:${a.regex}))(?=.*(?:${b.regex}))`;
  return { ...a, ...b, ...(regex !== undefined && { regex }) };
}

/** The matches in as few as possible: those that differ by their expressions only become one. */
function merged(matches: readonly Match[]): Match[] {
  if (matches.some((m) => Object.keys(m).length === 0)) return [everything];
  const expressions = matches.flatMap((m) => (m.kind === undefined && m.regex !== undefined ? m.regex : []));
  const rest = matches.filter((m) => m.kind !== undefined);
  return [...rest, ...joined([...new Set(expressions)]).map((regex): Match => ({ regex }))];
}

/** Rules that adapt the layers of a match: kernels larger than 1 only where convolutions are on or the override brings its dim. */
function adapt(match: Match, { settings, skip }: Override, { enableConv, convDim }: Selection): Rule[] {
  if (skip) return [{ match, skip: true }];
  if (settings.blocks || (enableConv && convDim === undefined)) return [{ match, ...settings }];
  const linear = both(match, { kind: 'linear' });
  const conv = both(match, { kind: 'conv' });
  return [
    ...(linear ? [{ match: linear, ...settings }] : []),
    ...(conv ? [{ match: { ...conv, kernel: 1 }, ...settings }] : []),
    ...(conv && enableConv && convDim !== undefined
      ? [{ match: conv, ...settings, blocks: { dim: convDim } }]
      : []),
  ];
}

/** The rules of a selection, with all other layers skipped by the last. */
export function selectionRules(selection: Selection): Rule[] {
  const { classes, names = [], nameOverrides = [], classOverrides = [], exclude = [] } = selection;
  const byName: Match[] = names.map((regex) => ({ regex }));
  const byClass = classMatches(classes);
  const selected = merged([...byClass, ...byName]);
  const rules: Rule[] = exclude.map((regex) => ({ match: { regex }, skip: true }));
  for (const { regex, override } of nameOverrides) {
    const named = byName.some((m) => m.regex === regex)
      ? [{ regex }]
      : byName.map((m) => both(m, { regex })!);
    for (const match of merged(named)) rules.push(...adapt(match, override, selection));
  }
  const depth = (name: string): number => moduleClass(name)?.depth ?? 0;
  for (const { name, override } of [...classOverrides].sort((a, b) => depth(b.name) - depth(a.name)))
    for (const own of classMatches([name])) {
      const within = classes.includes(name) ? [own] : selected.map((m) => both(m, own));
      for (const match of within) if (match) rules.push(...adapt(match, override, selection));
    }
  const whole = selected.length === 1 && Object.keys(selected[0]!).length === 0;
  if (whole && selection.enableConv && selection.convDim === undefined) return rules;
  for (const match of selected) rules.push(...adapt(match, { settings: {} }, selection));
  return [...rules, { match: everything, skip: true }];
}
