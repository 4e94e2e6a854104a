/** @file A plan's choices in plain words: names of options, what a rule says, what is wrong with a condition. */
import { regexComplaint } from '#src/oft/plan/regexGuard.ts';
import { choiceKind } from '#src/oft/plan/planned.ts';
import type { BlockChoice, Clamp, LayerSettings, Match, Role, Rule, Side } from '#src/oft/types.ts';
import { describeBlocks } from '../words/describe.ts';

export const sides: readonly { value: Side; name: string; hint: string }[] = [
  {
    value: 'output',
    name: 'output',
    hint: 'Turns what a layer puts out: W′ = CᵀW. LyCORIS, ComfyUI, A1111 and kohya read such files.',
  },
  {
    value: 'input',
    name: 'input',
    hint: 'Turns what a layer takes in: W′ = W·Rᵀ. Python’s PEFT and OneTrainer read such files.',
  },
];

export const algorithms: readonly { value: LayerSettings['algorithm']; name: string }[] = [
  { value: 'diag', name: 'OFT: blocks on the diagonal' },
  { value: 'boft', name: 'BOFT: butterfly stages' },
];

export const clamps: readonly { value: Clamp; name: string }[] = [
  { value: 'lycoris', name: 'LyCORIS: c × outputs, over the layer' },
  { value: 'comfyui', name: 'ComfyUI: c, over the layer' },
  { value: 'peft', name: 'PEFT: c/√n, each block' },
  { value: 'paper', name: 'the paper: c·b²/√n, each block' },
];

export const roles: readonly { value: Role; name: string }[] = [
  { value: 'query', name: 'attention query' },
  { value: 'key', name: 'attention key' },
  { value: 'value', name: 'attention value' },
  { value: 'attention-out', name: 'attention output' },
  { value: 'feed-forward', name: 'feed-forward' },
  { value: 'residual-conv', name: 'residual conv' },
  { value: 'time-embedding', name: 'time embedding' },
  { value: 'projection', name: 'projection' },
  { value: 'sampling', name: 'resampling' },
  { value: 'input', name: 'first layer' },
  { value: 'head', name: 'last layer' },
  { value: 'other', name: 'other' },
];

const roleName = (role: Role) => roles.find(({ value }) => value === role)?.name ?? role;

/** "conv, kernel 3, outputs >=320"; every layer where nothing is asked. */
export function describeMatch(match: Match): string {
  const { name, regex, kind, kernel, stride, groups, position, role, part } = match;
  const words = [
    name !== undefined && `“${name}”`,
    regex !== undefined && `/${regex}/`,
    kind,
    role && roleName(role),
    kernel !== undefined && `kernel ${kernel}`,
    stride !== undefined && `stride ${stride}`,
    groups !== undefined && `groups ${groups}`,
    match.in !== undefined && `inputs ${match.in}`,
    match.out !== undefined && `outputs ${match.out}`,
    position !== undefined && `place ${position}`,
    part !== undefined && `in ${part}`,
  ].filter((word) => typeof word === 'string');
  return words.join(', ') || 'every layer';
}

/** What a rule sets, briefly: "left alone", "blocks of 8, rescaled", "as the plan". */
export function describeSettings(rule: Rule): string {
  if (rule.skip) return 'left alone';
  const { algorithm, side, blocks, constraint, clamp, rescale, moduleDropout, rankDropout, lrScale } = rule;
  const words = [
    algorithm && (algorithm === 'boft' ? 'BOFT' : 'OFT'),
    side && `${side} side`,
    blocks && describeBlocks(blocks),
    constraint !== undefined && (constraint === 0 ? 'no constraint' : `constraint ${constraint}`),
    clamp && side === undefined && `${clamp}’s clamp`,
    rescale !== undefined && (rescale ? 'rescaled' : 'not rescaled'),
    moduleDropout !== undefined && `layer dropout ${moduleDropout}`,
    rankDropout !== undefined && `block dropout ${rankDropout}`,
    lrScale !== undefined && `rate × ${lrScale}`,
  ].filter((word) => typeof word === 'string');
  return words.join(', ') || 'as the plan';
}

/** The number that a way of cutting asks for; null for `per`. */
export const amountOf = (blocks: BlockChoice): number | null =>
  choiceKind(blocks) === 'per' ? null : (blocks.dim ?? blocks.count ?? blocks.size ?? 1);

/** A typed condition on a number: undefined for nothing, a number, or the text as it is (right or wrong). */
export function parseCondition(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return /^-?\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** Why a condition cannot be read; null where it can. */
export function conditionError(condition: number | string | undefined, negative = false): string | null {
  if (condition === undefined) return null;
  const number = negative ? String.raw`-?\d{1,9}` : String.raw`\d{1,9}`;
  return new RegExp(String.raw`^\s*(>=|<=|>|<|==?|!=)?\s*${number}\s*$`).test(String(condition))
    ? null
    : 'A number, or one with >=, <=, >, < or != before it.';
}

/** Why a regular expression cannot be read; null where it can. */
export function regexError(source: string | undefined): string | null {
  const complaint = source === undefined ? null : regexComplaint(source);
  return complaint && `It ${complaint.reason} ${complaint.cure}`;
}
