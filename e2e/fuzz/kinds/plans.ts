/** @file Plans of Rotune and settings of other tools, changed and muddled. */
import { isDeepStrictEqual } from 'node:util';
import { importPlan } from '#src/formats/plans/importPlan.ts';
import { parsePlan } from '#src/formats/plans/plan.ts';
import { printPlan } from '#src/formats/plans/printPlan.ts';
import { dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { bytesOf, type FuzzKind, jsonOf, textOf } from '../kind.ts';
import { jobTable, planned, spoiledTable } from '../parts/jobs.ts';
import { drawn, regexes, slowRegexes } from '../parts/regexes.ts';
import { damagedText } from '../parts/texts.ts';
import { tomlOf } from './toml.ts';

const regex = (d: Dice): string => (d.chance(0.5) ? d.pick(slowRegexes) : drawn(regexes, d.whole(2 ** 30)));

const peft = (d: Dice): object => ({
  ...{ peft_type: d.pick(['OFT', 'OFT', 'BOFT', 'LORA']), r: d.whole(9), oft_block_size: d.whole(9) },
  ...{ target_modules: d.pick<unknown>([['q', 'k'], regex(d), 'all-linear', []]), module_dropout: 0.1 },
  ...{
    coft: true,
    eps: 1e-4,
    block_share: d.chance(0.3),
    use_cayley_neumann: true,
    num_cayley_neumann_terms: 5,
  },
  ...{ layers_to_transform: [0, 1], layers_pattern: 'layers', exclude_modules: regex(d) },
  ...{ rank_pattern: { [regex(d)]: 4 }, init_weights: true, fan_in_fan_out: false },
});

const preset = (d: Dice): object => ({
  ...{ enable_conv: d.chance(0.5), unet_target_module: ['Transformer2DModel', 'ResnetBlock2D'] },
  ...{
    unet_target_name: [regex(d), 'conv_in'],
    target_module: ['Linear'],
    target_name: ['attn.*', regex(d)],
  },
  module_algo_map: { FeedForward: { algo: 'diag-oft', dim: 4 }, Linear: { algo: 'boft', factor: 8 } },
  ...{ name_algo_map: { [regex(d)]: { algo: 'diag-oft', dim: 2 } }, use_fnmatch: d.chance(0.5) },
});

const kohya = (d: Dice): string =>
  d.pick([
    'network_args = ["algo=diag-oft", "dropout=0.1", "constraint=0.5", "preset=attn-mlp"]\nnetwork_dim = 4\n',
    '--network_module lycoris.kohya --network_dim 8 --network_args "algo=boft" "rescaled=True"',
    'algo=diag-oft network_dim=4 conv_dim=2 factor=8 rescaled=1 constraint=1e-3',
  ]);

function planText(d: Dice): string {
  const text = d.pick([
    () => tomlOf(d, (jobTable(d) as { readonly plan: object }).plan),
    () => tomlOf(d, jobTable(d)),
    () => jsonOf(spoiledTable(d, peft(d))),
    () => tomlOf(d, preset(d)),
    () => kohya(d),
  ])();
  return d.chance(0.5) ? damagedText(d, text) : text;
}

export const plans: FuzzKind = {
  ending: '.txt',
  full: 10_000,
  make: (seed) => bytesOf(planText(dice(seed))),
  read: async (input) => {
    const { plan } = importPlan(textOf(input), 'plan.toml');
    if (!isDeepStrictEqual(parsePlan(printPlan(plan)), plan))
      throw new Error('The plan is another after it was written.');
    return planned(plan);
  },
};
