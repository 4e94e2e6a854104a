/** @file `npm run tune` as a process of its own, which can be signalled in mid-run. */
import { expect } from '@playwright/test';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/ensure.mjs';

export interface Command {
  readonly process: ChildProcess;
  /** Exit status, or the signal that ended it, with all that it said. */
  readonly ended: Promise<{ readonly status: number | NodeJS.Signals; readonly said: string }>;
}

/** Starts the command. @param cwd where the person stands */
export function tune(words: readonly string[], cwd = ROOT): Command {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'scripts/tune.mjs'), ...words, '--backend', 'wasm', '--threads', '1'],
    { cwd, env: { ...process.env, INIT_CWD: cwd }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  const ended = new Promise<{ status: number | NodeJS.Signals; said: string }>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => done({ status: code ?? signal ?? 0, said }));
  });
  return { process: child, ended };
}

/** Runs the command to its end, which must be a good one. */
export async function tuned(words: readonly string[], cwd?: string): Promise<void> {
  const { status, said } = await tune(words, cwd).ended;
  expect(status, said).toBe(0);
}

/** Steps that stand in a run's log. */
export function logged(folder: string): number {
  const log = join(folder, 'log.jsonl');
  return existsSync(log) ? new Set(readFileSync(log, 'utf8').split('\n').filter(Boolean)).size : 0;
}

/** Waits until more stands in the log of a run that the command trains. Fails where the command ends before. */
export async function loggedAfter(command: Command, folder: string, before: number): Promise<void> {
  let end: string | null = null;
  void command.ended.then(({ status, said }) => (end = `${status}: ${said}`));
  await expect.poll(() => end ?? logged(folder) > before, { timeout: 120_000, intervals: [50] }).toBe(true);
}

/** SHA-256 of a run's adapter. */
export const adapterIn = (folder: string): string =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'adapter.safetensors')))
    .digest('hex');
