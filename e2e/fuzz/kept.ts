/** @file Cases that went wrong once, as files: `npm test` tries every one of them for ever. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./fixtures', import.meta.url));

/** A kind's kept cases, by their files' names. */
export function keptCases(kind: string): readonly (readonly [name: string, input: Uint8Array])[] {
  const place = join(folder, kind);
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .sort()
    .map((name) => [name, new Uint8Array(readFileSync(join(place, name)))]);
}

/** Writes a case down. @returns the file's path */
export function keep(kind: string, name: string, input: Uint8Array): string {
  const path = join(folder, kind, name);
  mkdirSync(join(folder, kind), { recursive: true });
  writeFileSync(path, input);
  return path;
}
