/** @file From the command line to the folder that a run writes into: all that is read is known before the first byte is written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { outputFolder } from './options.mjs';
import { RunFolder } from './output.mjs';
import { HERE, oneLine, refuse } from './refuse.mjs';

/** @import { JobOnDisk } from './library.ts' */
/** @import { Options } from './options.mjs' */
/** @typedef {Pick<typeof import('./library.ts'), 'readJob'>} Reader */

/** What messages call the places that a job names. @type {Readonly<Record<string, string>>} */
export const ROLES = { model: 'model', train: 'training data', heldout: 'held-out data', adapter: 'adapter' };

/**
 * Reads the job, and makes or takes the folder for its results; with --resume finds both. Refuses (exit status 2) what cannot be used; then nothing
 * on the disk has changed.
 * @param {Options} options @param {Reader} library
 * @returns {{ folder: RunFolder, given: JobOnDisk }}
 */
export function beginRun(options, library) {
  /** @param {string | null} path */
  const here = (path) => (path === null ? null : resolve(HERE, path));
  /** @type {JobOnDisk} */
  let given;
  try {
    given = library.readJob(here(options.job), {
      ...options,
      plan: here(options.plan),
      adapter: here(options.adapter),
    });
  } catch (cause) {
    return refuse(oneLine(cause));
  }
  const out = outputFolder(options);
  const reads = [
    ...Object.entries(given.folders).map(([role, path]) => ({ what: `the ${ROLES[role] ?? role}`, path })),
    ...[options.job, options.plan].flatMap((path, i) =>
      path === null ? [] : [{ what: i === 0 ? 'the job' : 'the plan', path: resolve(HERE, path) }],
    ),
  ];
  if (!options.resume) {
    const folder = RunFolder.begin(out, reads);
    writeFileSync(folder.jobFile, JSON.stringify(given));
    return { folder, given };
  }
  const folder = RunFolder.resume(out);
  return { folder, given: options.job === null ? keptJob(folder) : given };
}

/** The job as the run began with it. @param {RunFolder} folder @returns {JobOnDisk} */
function keptJob({ jobFile, path }) {
  try {
    return JSON.parse(readFileSync(jobFile, 'utf8'));
  } catch (cause) {
    return refuse(
      `the job of the run in ${path} cannot be read (${oneLine(cause)}); name its job file beside --resume`,
    );
  }
}
