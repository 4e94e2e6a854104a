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

/** As a browser opens it: "git+https://host/name.git" is https://host/name. @param {unknown} repository */
export function sourceAddress(repository) {
  const url =
    typeof repository === 'object' && repository !== null && 'url' in repository
      ? repository.url
      : repository;
  if (typeof url !== 'string') return '';
  const plain = url.replace(/^git\+/, '').replace(/\.git$/, '');
  return /^https?:\/\//.test(plain) ? plain : '';
}

/** @returns {{ rotune: string, runtime: string, source: string }} */
export function versions() {
  /** @type {Lock} */
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const made = commit();
  return {
    rotune: made === null ? lock.version : `${lock.version} (${made})`,
    source: sourceAddress(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).repository),
    runtime: lock.packages['node_modules/onnxruntime-web']?.version ?? 'unknown',
  };
}
