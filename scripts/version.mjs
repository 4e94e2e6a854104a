/** @file What error reports say of the version: ours with the commit, and the runtime's. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './ensure.mjs';

/** @typedef {{ version: string, packages: Record<string, { version?: string }> }} Lock */

/** The commit, with "-dirty" where files were changed since; null: this is no clone. */
function commit() {
  try {
    const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** @returns {{ rotune: string, runtime: string }} */
export function versions() {
  /** @type {Lock} */
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const made = commit();
  return {
    rotune: made === null ? lock.version : `${lock.version} (${made})`,
    runtime: lock.packages['node_modules/onnxruntime-web']?.version ?? 'unknown',
  };
}
