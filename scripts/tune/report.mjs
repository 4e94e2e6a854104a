/** @file The error report of `npm run tune`: beside log.jsonl, or, where the run leaves nothing behind, among the temporary files. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { versions } from '../version.mjs';
import { HERE } from './refuse.mjs';

/** @import { BackendReport } from '#src/runtime/types.ts' */
/** @import { RunFolder } from './output.mjs' */

/**
 * Writes it, with the versions that the page does not know.
 * @param {Pick<RunFolder, 'state' | 'path' | 'write'>} folder @param {string} text @param {string} browser
 * @returns {string} where it is
 */
export function writeReport(folder, text, browser) {
  const { rotune, runtime } = versions();
  const whole = [
    text.trimEnd(),
    '',
    '— command',
    `Rotune: ${rotune}`,
    `onnxruntime-web: ${runtime}`,
    `Chromium: ${browser}`,
    `Node: ${process.versions.node} on ${process.platform} ${process.arch}`,
    '',
  ].join('\n');
  // A run that came to nothing takes its files away again.
  if (folder.state !== 'preparing') return join(folder.path, folder.write('report.txt', whole));
  const file = join(mkdtempSync(join(tmpdir(), 'rotune-report-')), 'report.txt');
  writeFileSync(file, whole);
  return file;
}

/**
 * What is known where the page is gone and makes no report of its own.
 * @param {{ cause: unknown, state: string, backend: BackendReport, job: string }} facts job: as it may be shown
 */
export function withoutPage({ cause, state, backend, job }) {
  const lines = String(cause).split('\n');
  // The browser's own log is long, and its command line names folders of this machine.
  const said = lines.filter((line) => !line.startsWith('<launch')).slice(0, 12);
  return [
    `what happened: ${(lines[0] ?? '').replace(/^Error: /, '')}`,
    `state: ${state}`,
    `backend: ${backend.kind}: ${backend.reason}`,
    `threads: ${backend.threads}`,
    `graphics: ${backend.adapter ?? 'none used'}`,
    '',
    '— detail',
    ...said,
    '',
    '— job',
    job,
    '',
  ].join('\n');
}

/** A sentence behind the error's own. @param {string} file */
export function saidWhere(file) {
  const near = relative(HERE, file);
  return ` The report is ${near.startsWith('..') ? file : near}.`;
}
