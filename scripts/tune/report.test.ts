/** @file Where the command's error report goes. */
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RunFolder } from './output.mjs';
import { RESULTS } from './places.mjs';
import { saidWhere, withoutPage, writeReport } from './report.mjs';

let root = '';
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'rotune-report-test-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('lies beside the log once the run trains, and is one of its results', () => {
  const folder = RunFolder.begin(join(root, 'out'), []);
  folder.training();
  const file = writeReport(folder, 'what happened: it broke\n', 'Chromium 1');
  expect(file).toBe(join(folder.path, 'report.txt'));
  expect(RESULTS).toContain('report.txt');
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^what happened: it broke$/m);
  expect(text).toMatch(/^Rotune: \d+\.\d+\.\d+/m);
  expect(text).toMatch(/^onnxruntime-web: \d+\.\d+\.\d+/m);
  expect(text).toMatch(/^Chromium: Chromium 1$/m);
  expect(text).toContain(`Node: ${process.versions.node}`);
  expect(saidWhere(file)).toContain('report.txt');
});

it('outlives a run that leaves the disk as it was', () => {
  const folder = RunFolder.begin(join(root, 'out'), []);
  const file = writeReport(folder, 'it broke', 'Chromium 1');
  folder.abandon();
  expect(existsSync(folder.path)).toBe(false);
  expect(readFileSync(file, 'utf8')).toMatch(/^it broke/);
  rmSync(dirname(file), { recursive: true });
});

it('says what is known where the page is gone, and nothing of this machine', () => {
  const cause = new Error(
    'page closed\nBrowser logs:\n<launching> chromium --user-data-dir=/home/me\nlast words',
  );
  const backend = { kind: 'wasm', reason: 'No GPU.', threads: 2, adapter: null } as const;
  const text = withoutPage({ cause, state: 'step 3 of 9', backend, job: 'task = "generic"' });
  expect(text).toMatch(/^what happened: page closed$/m);
  for (const part of ['state: step 3 of 9', 'backend: wasm: No GPU.', 'last words', 'task = "generic"'])
    expect(text).toContain(part);
  expect(text).not.toContain('/home/me');
});
