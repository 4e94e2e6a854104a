/** @file Sets up the check before commits, without a question, and only where nobody else's is in the way. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT, say } from './ensure.mjs';

const FOLDER = 'scripts/hooks';

/**
 * Git's answer in one line; null: there is none.
 * @param {string} root @param {readonly string[]} args
 */
function git(root, ...args) {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** Hooks of the person's own lie in Git's usual folder; samples are none. @param {string} root */
function hasOwnHooks(root) {
  const common = git(root, 'rev-parse', '--git-common-dir');
  const folder = common === null ? '' : join(resolve(root, common), 'hooks');
  return existsSync(folder) && readdirSync(folder).some((name) => !name.endsWith('.sample'));
}

/**
 * Points Git to the tracked hooks. Left alone: CI, a copy that is no clone, a setting or hooks of the person's own.
 * @param {string} [root] @param {Readonly<Record<string, string | undefined>>} [env]
 * @returns {boolean} whether it was set now
 */
export function ensureHooks(root = ROOT, env = process.env) {
  if (env.CI !== undefined) return false;
  const top = git(root, 'rev-parse', '--show-toplevel');
  if (top === null || realpathSync(top) !== realpathSync(root)) return false;
  if (git(root, 'config', 'core.hooksPath') !== null || hasOwnHooks(root)) return false;
  if (git(root, 'config', 'core.hooksPath', FOLDER) === null) return false;
  say(`Commits are checked from now on (${FOLDER}); \`git commit --no-verify\` goes without.`);
  return true;
}
