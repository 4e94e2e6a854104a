/** @file Any tool's settings as a plan: recognises what a text is. */
import { JobError } from '../errors.ts';
import { type ImportedPlan, isTable, many, type Table } from './imports.ts';
import { parseJob } from '../jobs/job.ts';
import { argumentsOfLine, argumentsOfTable, planFromArguments } from './kohyaArgs.ts';
import { planFromPreset, presetKeys } from './lycorisPreset.ts';
import { planFromPeft } from './peftConfig.ts';
import { parsePlan } from './plan.ts';
import { parseToml } from '../files/toml.ts';

export type { ImportedPlan } from './imports.ts';

const kinds = [
  'a Rotune plan or job (TOML)',
  'a LyCORIS preset (TOML)',
  'kohya network_args (TOML, or key=value words)',
  'a PEFT adapter_config.json',
];

const jobKeys = ['version', 'task', 'model', 'data', 'train', 'plan', 'sample', 'adapter'];

function fromJson(text: string): ImportedPlan {
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch (error) {
    throw new JobError(`This is not whole JSON: ${whereOf(text, error)}. Copy the file again, all of it.`);
  }
  if (isTable(table)) {
    if (table.peft_type !== undefined) return planFromPeft(table);
    const args = argumentsOfTable(table);
    if (args) return planFromArguments(args);
  }
  throw new JobError(
    `This JSON is neither a PEFT adapter_config.json (it has no peft_type) nor kohya's arguments. Choose one of those.`,
  );
}

function fromTable(table: Table, text: string): ImportedPlan {
  const keys = Object.keys(table);
  if (keys.some((key) => (presetKeys as readonly string[]).includes(key))) return planFromPreset(table);
  const args = argumentsOfTable(table);
  if (args) return planFromArguments(args);
  return keys.some((key) => jobKeys.includes(key))
    ? { plan: parseJob(text).plan, notes: ['Of the job, only its plan was taken.'] }
    : { plan: parsePlan(text), notes: [] };
}

/** Words such as `algo=boft` or `--network_dim 8`, which are no TOML. */
const looksLikeArguments = (text: string): boolean =>
  /--network_\w+/.test(text) || /(^|[\s"'[,])(algo|preset|network_module)=/.test(text);

/**
 * The plan that a text describes: a Rotune plan or job, a LyCORIS preset, kohya's network_args, or a PEFT adapter_config.json. All that
 * could not be carried over is in `notes`.
 *
 * @param fileName Its name, for messages.
 * @throws JobError that names what is wrong and the way out.
 */
export function importPlan(text: string, fileName = 'This text'): ImportedPlan {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed.startsWith('{')) return fromJson(trimmed);
  let table: unknown;
  try {
    table = parseToml(trimmed);
  } catch (error) {
    if (looksLikeArguments(trimmed)) return planFromArguments(argumentsOfLine(trimmed));
    throw error instanceof JobError
      ? new JobError(`${fileName} is none of ${many(kinds)}. ${error.message}`, error.key, {
          cure: error.cure ?? 'Choose a file of one of these kinds.',
        })
      : error;
  }
  if (trimmed === '') throw new JobError(`${fileName} is empty. Read here: ${many(kinds)}.`);
  return fromTable(table as Table, trimmed);
}

/** Where a text stops being JSON, as far as the engine's complaint says it. */
function whereOf(text: string, error: unknown): string {
  const at = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  if (at === undefined) return 'it breaks off, or holds something else';
  const before = text.slice(0, Number(at)).split('\n');
  return `it goes wrong at line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
