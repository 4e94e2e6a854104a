/** @file Plain tables → TOML text: apart from reading it, which the first screen needs. */
import { stringify } from 'smol-toml';

export const printToml = (table: object): string => `${stringify(table).trim()}\n`;
