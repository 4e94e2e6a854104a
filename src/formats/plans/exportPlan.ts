/** @file A plan for another tool: a LyCORIS preset that names each adapted layer, or kohya's network arguments. */
import { factorization } from '#src/oft/blocks/factorization.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import type { ExportedText } from './imports.ts';
import { type PresetName, presetNames, presetPlan } from './presets.ts';
import { printToml } from '../files/printToml.ts';

/** Sentences about those layers that a condition holds for. */
class Losses {
  readonly #found: string[] = [];
  constructor(readonly planned: readonly PlannedLayer[]) {}

  add(holds: (p: PlannedLayer) => boolean, says: (which: string) => string): this {
    const hit = this.planned.filter(holds);
    if (hit.length > 0)
      this.#found.push(
        says(
          hit.length === 1 ? hit[0]!.layer.path : `${hit.length} layers (${hit[0]!.layer.path} and others)`,
        ),
      );
    return this;
  }
  get list(): readonly string[] {
    return this.#found;
  }
}

/** LyCORIS takes no block size; dim = b gives b where the blocks are no larger than they are many. */
const sameBlocks = ({ algorithm, layer, size, count }: PlannedLayer): boolean =>
  algorithm === 'boft' ? Number.isInteger(Math.log2(count)) : factorization(layer.out, size)[0] === size;

/** What training by LyCORIS would do otherwise. */
const lycorisLosses = (planned: readonly PlannedLayer[]): Losses =>
  new Losses(planned)
    .add(
      (p) => p.side === 'input',
      (w) => `LyCORIS cannot rotate what comes into layers: ${w} left out.`,
    )
    .add(
      (p) => p.side === 'output' && !sameBlocks(p),
      (w) => `LyCORIS chooses blocks from dim alone and would cut ${w} otherwise.`,
    )
    .add(
      (p) => p.algorithm === 'boft' && p.stages !== Math.log2(p.count) + 1,
      (w) => `LyCORIS always takes log₂n + 1 stages: more for ${w}.`,
    )
    .add(
      (p) => p.side === 'output' && p.share && p.count > 1,
      (w) => `LyCORIS has no shared blocks: ${w} will have their own.`,
    )
    .add(
      (p) => p.neumannTerms !== null,
      (w) => `LyCORIS computes the exact Cayley transform, not the series of ${w}.`,
    )
    .add(
      (p) => p.parameters === 'triangle' && p.side === 'output',
      (w) => `LyCORIS trains full matrices: steps of ${w} are twice as large.`,
    )
    .add(
      (p) => p.constraint > 0 && p.clamp !== 'lycoris',
      (w) => `The constraint of ${w} has another meaning in LyCORIS; it was left out.`,
    )
    .add(
      (p) => p.lrScale !== 1,
      (w) => `LyCORIS presets have no learning rate per layer: lr_scale of ${w} left out.`,
    )
    .add(
      (p) => p.rankDropout > 0,
      (w) => `LyCORIS's rank_dropout breaks the rotation; that of ${w} was left out.`,
    )
    .add(
      (p) => p.moduleDropout > 0,
      (w) => `module_dropout of ${w} is no key of presets: give it as a network argument.`,
    );

/**
 * A path as an expression without backslashes: LyCORIS reads presets with Python's `toml`, which leaves escapes in keys as they are, so
 * that `\\.` there would ask for a backslash. Brackets and carets, which no path of a module has, become any character.
 */
const literal = (text: string): string =>
  text.replaceAll(/[$.*+?(){}|[\]\\^]/g, (c) => (/[[\]\\^]/.test(c) ? '.' : `[${c}]`));

/** Presets of LyCORIS 4.1.3 that name the time embedding and target its class too. */
const duplicated: readonly string[] = ['full', 'full-lin', 'unet-only'];

interface AlgoSettings {
  readonly algo: string;
  readonly dim: number;
  readonly constraint?: number;
  readonly rescaled?: boolean;
}

const algoOf = (p: PlannedLayer): AlgoSettings => ({
  algo: p.algorithm === 'boft' ? 'boft' : 'diag-oft',
  dim: p.size,
  ...(p.constraint > 0 && p.clamp === 'lycoris' && { constraint: p.constraint }),
  ...(p.rescale && { rescaled: true }),
});

/**
 * A LyCORIS preset file (TOML) that adapts just the layers that the plan adapts, each by its whole name: rules by width, kernel or place
 * have no word there.
 */
export function exportLycorisPreset(plan: Plan, layers: readonly Layer[]): ExportedText {
  const { planned } = planLayers(layers, plan);
  const taken = planned.filter((p) => p.side === 'output');
  const groups = new Map<string, { settings: AlgoSettings; paths: string[] }>();
  for (const p of taken) {
    const settings = algoOf(p);
    const key = JSON.stringify(settings);
    const group = groups.get(key);
    if (group) group.paths.push(literal(p.layer.path));
    else groups.set(key, { settings, paths: [literal(p.layer.path)] });
  }
  const patterns = [...groups.values()].flatMap(({ settings, paths }) =>
    chunks(paths).map((own) => ({ settings, pattern: `(?:${own.join('|')})$`, own })),
  );
  const isText = (path: string): boolean =>
    layers.some((l) => literal(l.path) === path && (l.part ?? '').startsWith('text_encoder'));
  const inText = patterns.filter(({ own }) => own.some(isText)).map((x) => x.pattern);
  const inUnet = patterns.filter(({ own }) => !own.every(isText)).map((x) => x.pattern);
  const text = printToml({
    enable_conv: true,
    unet_target_module: [],
    unet_target_name: inUnet,
    text_encoder_target_module: [],
    text_encoder_target_name: inText,
    name_algo_map: Object.fromEntries(patterns.map(({ pattern, settings }) => [pattern, settings])),
  });
  return { text, losses: lycorisLosses(planned).list };
}

/** Lists whose alternatives stay within 1,500 characters of expression. */
function chunks(paths: readonly string[]): string[][] {
  const out: string[][] = [[]];
  let length = 0;
  for (const path of paths) {
    if (length + path.length > 1500) {
      out.push([]);
      length = 0;
    }
    out.at(-1)!.push(path);
    length += path.length + 1;
  }
  return out;
}

/** kohya's arguments for LyCORIS, as lines of its configuration file. Rules beyond a preset of LyCORIS's own need the preset file beside it. */
export function exportKohyaArgs(plan: Plan, layers: readonly Layer[]): ExportedText {
  const { planned } = planLayers(layers, plan);
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const selects = (p: readonly PlannedLayer[]): readonly string[] => p.map(({ layer }) => layer.path);
  const fits = (name: PresetName): boolean =>
    plan.rules.length === 0
      ? same(selects(planLayers(layers, presetPlan(name)).planned), selects(planned))
      : same(presetPlan(name).rules, plan.rules);
  const preset = presetNames.find(fits);
  const first = planned.find((p) => p.rule === null) ?? planned[0];
  const dim = plan.blocks.dim ?? first?.size ?? 4;
  const args = [
    `algo=${plan.algorithm === 'boft' ? 'boft' : 'diag-oft'}`,
    `preset=${preset ?? 'lycoris-preset.toml'}`,
    ...(plan.constraint > 0 && plan.clamp === 'lycoris' ? [`constraint=${plan.constraint}`] : []),
    ...(plan.rescale ? ['rescaled=True'] : []),
    ...(plan.moduleDropout > 0 ? [`module_dropout=${plan.moduleDropout}`] : []),
  ];
  const losses = lycorisLosses(planned).list.filter((l) => !l.startsWith('module_dropout'));
  return {
    text: printToml({ network_module: 'lycoris.kohya', network_dim: dim, network_args: args }),
    losses: [
      ...losses,
      ...(preset === undefined
        ? [
            'The rules are no preset of LyCORIS: save the LyCORIS preset too, as lycoris-preset.toml beside this file.',
          ]
        : []),
      ...(preset !== undefined &&
      duplicated.includes(preset) &&
      layers.some(({ path }) => path.startsWith('time_embedding.'))
        ? [
            `LyCORIS 4.1.3 itself stops at a duplicated name on its preset ${preset}; earlier versions do not. With 4.1.3, save the LyCORIS preset too and name that instead.`,
          ]
        : []),
    ],
  };
}
