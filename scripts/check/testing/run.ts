/** @file `npm run check` in tests: a temporary folder, and the command's body with what it says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../main.ts';

/** A folder of its own; `remove` when all is done. */
export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `rotune-${name}-`));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true });
    },
  };
}

/** @param root that paths are relative to */
export async function runCheck(
  root: string,
  argv: readonly string[],
): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await check(argv, root, { out: (t) => out.push(t), err: (t) => err.push(t) });
  return { status, out: out.join('\n'), err: err.join('\n') };
}
