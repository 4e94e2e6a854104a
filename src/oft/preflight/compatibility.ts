/**
 * @file The compatibility badge: which tools will load a plan's result, what they lose, and the one change that would help. What each tool
 * reads was found by running it (see docs/plans.md); the files themselves are written by src/formats.
 */
import type { ToolFormat, ToolVerdict } from '../modules/types.ts';
import { withNames } from '../modules/verdict.ts';
import type { PlannedLayer } from '../types.ts';
import {
  bakedIn,
  boftOddCount,
  boftStages,
  cannotReload,
  emptyStages,
  input,
  mixed,
  noEps,
  notFive,
  oddRescale,
  output,
  perBlock,
  rescale,
  scrambled,
  series,
  severalSizes,
  shared,
  type Trouble,
  unevenConv,
} from './troubles.ts';

/** A verdict on what the layers are made of, before anybody looks at their names. */
type Judged = Omit<ToolVerdict, 'found' | 'of' | 'names'>;

type Planned = readonly PlannedLayer[];

const which = (hit: Planned): string =>
  hit.length === 1 ? hit[0]!.layer.path : `${hit.length} layers (${hit[0]!.layer.path} and others)`;

const hit = (planned: Planned, { holds }: Trouble): Planned => planned.filter(holds);

/** Verdict from troubles that forbid, and troubles that only lose something. */
function judge(
  tool: ToolVerdict['tool'],
  format: ToolFormat,
  planned: Planned,
  forbids: readonly Trouble[],
  loses: readonly Trouble[],
  fallback: ToolFormat | null,
): Judged {
  const say = (troubles: readonly Trouble[]): { losses: string[]; change: string | null } => {
    const found = troubles.flatMap((t) => {
      const layers = hit(planned, t);
      return layers.length > 0 ? [{ text: t.says(which(layers)), change: t.change }] : [];
    });
    return { losses: found.map((f) => f.text), change: found[0]?.change ?? null };
  };
  const no = say(forbids);
  if (no.losses.length > 0)
    return fallback
      ? {
          tool,
          verdict: 'loss',
          format: fallback,
          losses: [
            ...no.losses,
            'Whole weight differences (.diff) load, but are as large as the layers themselves.',
          ],
          change: no.change,
        }
      : { tool, verdict: 'no', format: null, ...no };
  const loss = say(loses);
  return { tool, verdict: loss.losses.length > 0 ? 'loss' : 'loads', format, ...loss };
}

/** Input-side files leave out layers whose blocks cannot turn. */
const written = (planned: Planned): Planned => {
  const kept = planned.filter((p) => p.size > 1 || p.side === 'output' || p.rescale);
  return kept.length > 0 ? kept : planned;
};

/** What each tool makes of the adapter that these layers will have. */
export function compatibility(planned: Planned): ToolVerdict[] {
  const verdicts = [
    judge(
      'LyCORIS',
      'lycoris',
      planned,
      [input, cannotReload, boftOddCount],
      [series, emptyStages, perBlock, shared, boftStages],
      'diff',
    ),
    judge(
      'PEFT',
      'peft',
      written(planned),
      [output, rescale, unevenConv, ...mixed(planned)],
      [scrambled, noEps(planned)],
      null,
    ),
    judge('ComfyUI', 'comfyui', planned, [input], [series, shared, oddRescale], 'diff'),
    forge(judge('A1111 / Forge', 'comfyui', planned, [input], [series, shared], 'diff')),
    kohya(planned),
    judge(
      'OneTrainer',
      'oft_r',
      written(planned),
      [output, rescale, unevenConv, ...severalSizes(planned)],
      [notFive, bakedIn],
      null,
    ),
  ];
  return verdicts.map((verdict) => withNames(verdict, planned));
}

/** Forge has no OFT: what A1111 loads whole is worth a word there. */
const forge = (a1111: Judged): Judged => ({
  ...a1111,
  verdict: a1111.verdict === 'loads' ? 'loss' : a1111.verdict,
  losses: [
    ...a1111.losses,
    'A1111 loads it; Forge has no OFT and needs weight differences (.diff) or a merged model.',
  ],
  change: a1111.change,
});

/** sd-scripts reads `oft_R` files (networks.oft_v2); its older networks.oft wants other layer names and turns everything by ‖Q‖·1e-8 at alpha 0. */
function kohya(planned: Planned): Judged {
  const verdict = judge(
    'kohya sd-scripts',
    'oft_r',
    written(planned),
    [output, rescale, unevenConv],
    [notFive],
    null,
  );
  return planned.some(output.holds)
    ? {
        ...verdict,
        losses: [
          'Its networks.oft wants names of the original Stable Diffusion code, which these files do not have; its networks.oft_v2 rotates inputs.',
        ],
      }
    : verdict;
}
