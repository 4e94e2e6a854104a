/** @file What error reports say of the version: ours with the commit, and the runtime's. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './ensure.mjs';

/** @param {string} file package.json, from the root */
const versionIn = (file) => String(JSON.parse(readFileSync(join(ROOT, file), 'utf8')).version);

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
  const made = commit();
  const own = versionIn('package.json');
  return {
    rotune: made === null ? own : `${own} (${made})`,
    runtime: versionIn('node_modules/onnxruntime-web/package.json'),
  };
}
