/** @file TOML text → plain tables, with errors of one line. */
import { parse, TomlError } from 'smol-toml';
import { JobError } from '../errors.ts';

/** Throws JobError that names line and column. */
export function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new JobError(`Line ${error.line}, column ${error.column} is not TOML: ${reason}.`, undefined, {
      cure: 'Correct it there: see toml.io for how it is written.',
    });
  }
}

/** "[[plan.rule]]" or "steps = 3": the dotted name at the beginning of a line, its parts without quotes. */
const NAMED =
  /^\s*(\[{0,2})\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*(?:\]{1,2}|=)/;

/**
 * The line, from 1 on, on which a key stands, or the nearest table around it that the text has; undefined: none has.
 * @param key dotted, the tables of a list by number: "plan.rule.0.match"
 */
export function lineOf(text: string, key: string): number | undefined {
  const wanted = key.split('.');
  const counts = new Map<string, number>();
  let table: string[] = [];
  let best: number | undefined;
  let most = 0;
  text.split(/\r?\n/).forEach((line, i) => {
    const [, brackets, dotted = ''] = NAMED.exec(line) ?? [];
    if (brackets === undefined) return;
    const parts = dotted.split('.').map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'));
    if (brackets === '[[') {
      const count = counts.get(dotted) ?? 0;
      counts.set(dotted, count + 1);
      parts.push(String(count));
    }
    const path = brackets === '' ? [...table, ...parts] : parts;
    if (brackets !== '') table = parts;
    const fits = path.length <= wanted.length && path.every((part, k) => part === wanted[k]);
    if (fits && path.length > most) [best, most] = [i + 1, path.length];
  });
  return best;
}

/** What is made of a text's table; a JobError that names a key tells its line, too. */
export function fromToml<T>(text: string, make: (table: unknown) => T): T {
  const table = parseToml(text);
  try {
    return make(table);
  } catch (error) {
    const line = error instanceof JobError && error.key !== undefined ? lineOf(text, error.key) : undefined;
    if (!(error instanceof JobError) || line === undefined) throw error;
    throw new JobError(`Line ${line}: ${error.message}`, error.key, { cure: error.cure });
  }
}
