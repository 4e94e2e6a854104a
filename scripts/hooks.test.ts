/** @file The check before commits is set up where it may be, and lets nothing bad pass. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from './ensure.mjs';
import { ensureHooks } from './hooks.mjs';

let root = '';
/** Without the settings of whoever runs this. */
const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b', ...args], {
    cwd: root,
    encoding: 'utf8',
    env,
    stdio: 'pipe',
  }).trim();
const commit = () =>
  spawnSync(
    'git',
    ['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--allow-empty', '-m', 'A change'],
    { cwd: root, encoding: 'utf8', env },
  );

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rotune-hooks-'));
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'The first');
  mkdirSync(join(root, 'scripts'));
  cpSync(join(ROOT, 'scripts/hooks'), join(root, 'scripts/hooks'), { recursive: true });
  chmodSync(join(root, 'scripts/hooks/pre-commit'), 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('sets it up once', () => {
  expect(ensureHooks(root, {})).toBe(true);
  expect(git('config', 'core.hooksPath')).toBe('scripts/hooks');
  expect(ensureHooks(root, {})).toBe(false);
});

it('leaves CI, other settings, own hooks and folders of another clone alone', () => {
  expect(ensureHooks(root, { CI: '1' })).toBe(false);
  expect(ensureHooks(join(root, 'scripts'), {})).toBe(false);
  git('config', 'core.hooksPath', 'mine');
  expect(ensureHooks(root, {})).toBe(false);
  git('config', '--unset', 'core.hooksPath');
  mkdirSync(join(root, '.git/hooks'), { recursive: true });
  writeFileSync(join(root, '.git/hooks/pre-push'), '#!/bin/sh\n');
  expect(ensureHooks(root, {})).toBe(false);
});

it('commits on a machine without the packages, and says that nothing was checked', () => {
  ensureHooks(root, {});
  const { status, stderr } = commit();
  expect(status).toBe(0);
  expect(stderr).toContain('Not checked');
});

it('lets a commit through only when the checks pass', () => {
  ensureHooks(root, {});
  mkdirSync(join(root, 'node_modules'));
  const check = join(root, 'scripts/test.mjs');
  writeFileSync(check, `process.exit(process.argv[2] === '--changed=HEAD' ? 1 : 0);`);
  expect(commit().status).toBe(1);
  writeFileSync(check, `process.exit(process.argv[2] === '--changed=HEAD' ? 0 : 1);`);
  expect(commit().status).toBe(0);
});
