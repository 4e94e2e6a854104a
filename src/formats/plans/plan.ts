/** @file The plan as a table: which layers are adapted and how (`[plan]` of a job, or a file of its own). */
import { defaultSettings, peftSettings, settingsOf } from '#src/oft/plan/planned.ts';
import type { BlockChoice, LayerSettings, Plan, Rule, Side } from '#src/oft/types.ts';
import { JobError } from '../errors.ts';
import { type PlanTable, planSchema, type SettingsTable } from './planSchema.ts';
import { camelKeys, checked, readable, snakeKeys } from '../schema.ts';
import { parseToml } from '../files/toml.ts';

export { planSchema } from './planSchema.ts';

export const defaultPlan: Plan = { ...defaultSettings, rules: [] };

/** What changes its meaning with the side: PEFT's habits on the input side, LyCORIS's on the output side. */
export type Conventions = Pick<LayerSettings, 'side' | 'parameters' | 'neumannTerms' | 'clamp'>;

const pick = ({ side, parameters, neumannTerms, clamp }: LayerSettings): Conventions => ({
  side,
  parameters,
  neumannTerms,
  clamp,
});

/** output: LyCORIS's (full B, exact Cayley, its clamp); input: PEFT's defaults (upper triangle, five Neumann terms, its clamp). */
export const conventionsOf = (side: Side): Conventions =>
  pick(side === 'output' ? defaultSettings : peftSettings);

/** The side that a table says, or that what it says can only have. */
const impliedSide = ({ side, blocks, algorithm }: Partial<LayerSettings>): Side | undefined =>
  side ?? (blocks?.per ? 'input' : algorithm === 'boft' ? 'output' : undefined);

/**
 * A rule that leaves its plan's side gets the conventions of its own, where it is silent on them. Without this, a rule of one word,
 * side = "input", would mix two tools' conventions and fit neither.
 */
export function withConventions(rule: Rule, planSide: Side): Rule {
  const side = impliedSide(rule);
  return side === undefined || side === planSide ? rule : { ...conventionsOf(side), ...rule, side };
}

/** Settings of a table: `cayley` becomes the number of terms, `diag-oft` the short name. */
function settingsFrom(input: SettingsTable): Partial<LayerSettings> {
  const { cayley, algorithm, ...rest } = input;
  return {
    ...camelKeys(rest),
    ...(algorithm !== undefined && { algorithm: algorithm === 'boft' ? 'boft' : 'diag' }),
    ...(cayley !== undefined && { neumannTerms: cayley === 'exact' ? null : cayley.terms }),
  };
}

function settingsTable(settings: Partial<LayerSettings>): object {
  const { algorithm, side, blocks, parameters, neumannTerms, ...rest } = settings;
  return snakeKeys({
    algorithm: algorithm === 'diag' ? 'diag-oft' : algorithm,
    side,
    blocks,
    parameters,
    cayley:
      neumannTerms === undefined ? undefined : neumannTerms === null ? 'exact' : { terms: neumannTerms },
    ...rest,
  });
}

/** Refuses settings that exclude each other. `where`: the dotted key of their table. */
function check({ side, algorithm }: LayerSettings, blocks: BlockChoice | undefined, where: string): void {
  const refuse = (key: string, message: string): never => {
    const full = where === '' ? key : `${where}.${key}`;
    throw new JobError(`${readable(full.split('.'))}${message}`, full);
  };
  if (algorithm === 'boft' && side === 'input')
    refuse(
      'side',
      ' is "input", but algorithm is "boft", which turns outputs only. Set side = "output", or algorithm = "diag-oft".',
    );
  if (blocks?.per && side === 'output')
    refuse(
      'blocks',
      ' has per = "channel", which cuts the input side, but side is "output". Remove side, or choose dim, count or size.',
    );
  if (blocks?.stages !== undefined && algorithm !== 'boft')
    refuse('blocks.stages', ' is for BOFT only. Set algorithm = "boft", or remove stages.');
}

/**
 * A checked plan from its table, with defaults filled in; a silent side means "output", or what blocks or algorithm ask for.
 *
 * @param where The dotted key of the table, for messages.
 * @throws JobError where settings exclude each other.
 */
export function planFromTable({ rule: ruleTables = [], root, ...own }: PlanTable, where = ''): Plan {
  const said = settingsFrom(own);
  const side = impliedSide(said) ?? 'output';
  const base: LayerSettings = { ...defaultSettings, ...conventionsOf(side), ...said, side };
  check(base, said.blocks, where);
  const rules = ruleTables.map(({ match, skip, ...settings }, i): Rule => {
    const rule = withConventions(
      { match: camelKeys(match), ...(skip !== undefined && { skip }), ...settingsFrom(settings) },
      side,
    );
    check(
      settingsOf({ ...base, rules: [] }, rule),
      rule.blocks,
      `${where === '' ? '' : `${where}.`}rule.${i}`,
    );
    return rule;
  });
  return { ...base, rules, ...(root !== undefined && { root }) };
}

/** The table of a plan, keys as in files. A rule that leaves the plan's side says all that depends on it. */
export function planToTable({ rules, root, ...rest }: Plan): object {
  const table = ({ match, skip, ...settings }: Rule): object => {
    const side = impliedSide(settings);
    const full = side === undefined || side === rest.side ? settings : { ...pick(rest), ...settings, side };
    return { match: snakeKeys(match), ...(skip !== undefined && { skip }), ...settingsTable(full) };
  };
  return {
    ...settingsTable(rest),
    ...(root !== undefined && { root }),
    ...(rules.length > 0 && { rule: rules.map(table) }),
  };
}

/** Reads a plan file. Throws JobError that names the key, its value and what is allowed. */
export const parsePlan = (toml: string): Plan => planFromTable(checked(planSchema, parseToml(toml), ''));
