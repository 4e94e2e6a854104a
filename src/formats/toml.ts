/** @file TOML text ↔ plain tables, with errors of one line. */
import { parse, stringify, TomlError } from 'smol-toml';
import { JobError } from './errors.ts';

/** Throws JobError that names line and column. */
export function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new JobError(`Line ${error.line}, column ${error.column} is not TOML: ${reason}.`);
  }
}

export const printToml = (table: object): string => `${stringify(table).trim()}\n`;
