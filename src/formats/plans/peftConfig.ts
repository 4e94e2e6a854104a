/** @file PEFT's adapter_config.json as a plan. Module patterns as in PEFT: a list matches whole names or ends, a text is one whole expression. */
import type { BlockChoice, Rule } from '#src/oft/types.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { JobError } from '../errors.ts';
import {
  type ImportedPlan,
  many,
  notNegativeIn,
  refuse,
  shareIn,
  shown,
  type Table,
  textsIn,
  wholeIn,
} from './imports.ts';
import { escapeRegex, fromPython, joined } from './pythonRegex.ts';

/** Keys that say nothing about the plan. */
const aside = new Set([
  'auto_mapping',
  'base_model_name_or_path',
  'inference_mode',
  'peft_type',
  'peft_version',
  'revision',
  'runtime_config',
  'task_type',
]);

const read = new Set([
  'bias',
  'block_share',
  'coft',
  'eps',
  'exclude_modules',
  'fan_in_fan_out',
  'init_weights',
  'layers_pattern',
  'layers_to_transform',
  'module_dropout',
  'modules_to_save',
  'num_cayley_neumann_terms',
  'oft_block_size',
  'r',
  'target_modules',
  'use_cayley_neumann',
]);

const truth = (table: Table, key: string, otherwise: boolean): boolean => {
  const value = table[key] ?? otherwise;
  return typeof value === 'boolean' ? value : refuse(key, value, 'true or false');
};

function blocksOf(table: Table, notes: string[]): BlockChoice {
  const r = wholeIn('r', table.r ?? 0, 0);
  const size = wholeIn('oft_block_size', table.oft_block_size ?? (r > 0 ? 0 : 32), 0);
  if (table.oft_block_size === undefined)
    notes.push(
      'oft_block_size is missing: PEFT from 0.14 on refuses such a file; its weights have another layout.',
    );
  if (r > 0 === size > 0)
    throw new JobError(
      `r is ${r} and oft_block_size is ${size}; PEFT takes exactly one of them, the other 0.`,
      'oft_block_size',
    );
  const share = truth(table, 'block_share', false);
  return { ...(r > 0 ? { count: r } : { size }), fit: 'nearest', ...(share && { share }) };
}

/** Expressions for names in a list: the whole path, or its end from a dot on. */
const ends = (names: readonly string[], before = ''): string[] =>
  joined(names.map(escapeRegex), (source) => String.raw`${before}(?:^|\.)(?:${source})$`);

/** Expressions for a list or a text of PEFT; throws JobError for a text that cannot be run here. */
function namesRegex(key: string, value: unknown): string[] {
  if (typeof value !== 'string') return ends(textsIn(key, value));
  const source = fromPython(value);
  if (source === undefined)
    throw new JobError(
      `${key} is the expression ${shown(value)}, which cannot be read here. Write it without Python's own syntax and references back, or as a list of names.`,
      key,
    );
  return [`^(?:${source})$`];
}

/**
 * Rules for PEFT's `layers_to_transform`: the index of a layer is the first segment of its path that is a number and has two segments
 * before it, or, with `layers_pattern`, the number after the first segment of that name, for the first pattern that occurs at all.
 */
function indexedRules(
  names: readonly string[],
  indices: readonly number[],
  patterns: readonly string[],
): Rule[] {
  const index = String.raw`(?:${indices.join('|')})\.`;
  const rules = (where: string): Rule[] =>
    ends(names, `^(?=.*${where}).*`).map((regex) => ({ match: { regex } }));
  if (patterns.length === 0) {
    const two = String.raw`^[^.]+\.[^.]+.*`;
    return rules(String.raw`(?<=${two})(?<!${two}\.\d+(?:\..*)?)\.${index}`);
  }
  return patterns.map(escapeRegex).flatMap((list) => {
    const any = String.raw`(?:^|\.)${list}\.\d+\.`;
    return [
      ...rules(String.raw`(?:^|\.)(?<!${any}.*)${list}\.${index}`),
      { match: { regex: any }, skip: true },
    ];
  });
}

function targets(table: Table, notes: string[]): Rule[] {
  const given = table.target_modules ?? null;
  if (given === 'all-linear') return [{ match: { role: 'head' }, skip: true }, { match: { kind: 'linear' } }];
  if (given === null) {
    notes.push(
      'target_modules is not set: PEFT chooses by architecture; here all linear layers are adapted.',
    );
    return [{ match: { kind: 'linear' } }];
  }
  const asked = table.layers_to_transform ?? [];
  const indices = (Array.isArray(asked) ? (asked as readonly unknown[]) : [asked]).map((n) =>
    wholeIn('layers_to_transform', n, 0),
  );
  const pattern = table.layers_pattern ?? [];
  const patterns = (typeof pattern === 'string' ? [pattern] : textsIn('layers_pattern', pattern)).filter(
    Boolean,
  );
  if (indices.length > 0 && typeof given === 'string')
    notes.push('layers_to_transform has no effect beside a target_modules text, in PEFT and here.');
  else if (indices.length > 0) return indexedRules(textsIn('target_modules', given), indices, patterns);
  return namesRegex('target_modules', given).map((regex) => ({ match: { regex } }));
}

/** What of the config has no counterpart here. */
function leftOut(table: Table): string[] {
  const notes: string[] = [];
  const bias = table.bias ?? 'none';
  if (bias !== 'none') notes.push(`bias is ${shown(bias)}: Rotune trains no biases; left out.`);
  if (truth(table, 'fan_in_fan_out', false))
    notes.push('fan_in_fan_out: how a weight is stored is read from the model itself; left out.');
  if (table.init_weights === false)
    notes.push('init_weights is false: training here starts from no turn at all.');
  const unknown = Object.keys(table).filter(
    (key) => !aside.has(key) && !read.has(key) && table[key] !== null && table[key] !== undefined,
  );
  if (unknown.length > 0) notes.push(`${many(unknown)} was not carried over.`);
  return notes;
}

/** A plan from the object of an adapter_config.json. Throws JobError for other adapters than OFT, and values that cannot be meant. */
export function planFromPeft(table: Table): ImportedPlan {
  const type = table.peft_type;
  if (type === 'BOFT')
    throw new JobError(
      'peft_type is BOFT. PEFT’s BOFT turns the input side in stages; Rotune’s BOFT is LyCORIS’s, which turns the output side: the one cannot become the other. Use algorithm = "boft" in a plan, or PEFT’s OFT.',
      'peft_type',
    );
  if (type !== 'OFT')
    throw new JobError(
      `peft_type is ${shown(type)}; Rotune reads OFT configurations only. Choose one of an OFT adapter.`,
      'peft_type',
    );
  const notes: string[] = [];
  const blocks = blocksOf(table, notes);
  const series = truth(table, 'use_cayley_neumann', true);
  const asked = wholeIn('num_cayley_neumann_terms', table.num_cayley_neumann_terms ?? 5, 1);
  if (series && asked > 64)
    refuse(
      'num_cayley_neumann_terms',
      asked,
      'a whole number up to 64; the exact transform is cheaper from there',
    );
  const rankDropout = shareIn('module_dropout', table.module_dropout ?? 0);
  if (rankDropout > 0)
    notes.push(
      'module_dropout: PEFT documents it as leaving blocks unturned at random, but its code does nothing; here it does what is documented, as rank_dropout.',
    );
  const skipped: Rule[] = [];
  const saved = table.modules_to_save ?? [];
  const modules = textsIn('modules_to_save', saved);
  if (modules.length > 0) {
    notes.push(
      `modules_to_save: ${many(modules)} would be trained whole by PEFT; here they stay as they are.`,
    );
    for (const regex of joined(
      modules.map(escapeRegex),
      (source) => String.raw`(?:^|\.)(?:${source})(?:\.|$)`,
    ))
      skipped.push({ match: { regex }, skip: true });
  }
  const exclude = table.exclude_modules ?? '';
  if (exclude !== '' && !(Array.isArray(exclude) && exclude.length === 0))
    for (const regex of namesRegex('exclude_modules', exclude))
      skipped.push({ match: { regex }, skip: true });
  const rules = [...skipped, ...targets(table, notes), { match: {}, skip: true }];
  return {
    plan: {
      ...peftSettings,
      blocks,
      neumannTerms: series ? asked : null,
      constraint: truth(table, 'coft', false) ? notNegativeIn('eps', table.eps ?? 6e-5) : 0,
      rankDropout,
      rules,
    },
    notes: [...notes, ...leftOut(table)],
  };
}
