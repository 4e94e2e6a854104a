/** @file The steps that `npm test` and its like are made of: a check that holds or not, a runner of tests with its totals. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runTool, say } from './ensure.mjs';

const REPORTS = join(ROOT, 'test-results/totals');

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */

/** Totals of a vitest json report; a file that could not even be loaded counts as one failure. @param {any} report @returns {Totals} */
function vitestTotals(report) {
  const broken = report.testResults.filter(
    (/** @type {any} */ file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Totals of a Playwright json report; errors outside tests count as failures. @param {any} report @returns {Totals} */
function playwrightTotals(report) {
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected + flaky, failed: unexpected + report.errors.length, skipped };
}

/**
 * A step with no tests of its own: it counts only when it fails.
 * @param {string} name
 * @param {() => Promise<number>} body gives an exit status
 * @returns {Promise<Totals>}
 */
export async function check(name, body) {
  say(`\n── ${name}`);
  return { passed: 0, failed: (await body()) === 0 ? 0 : 1, skipped: 0 };
}

/**
 * A test runner that writes a json report.
 * @param {string} name
 * @param {string} script
 * @param {readonly string[]} args
 * @param {(report: any) => Totals} totals
 * @param {string} file the report
 * @returns {Promise<Totals>}
 */
async function suite(name, script, args, totals, file) {
  say(`\n── ${name}`);
  const status = await runTool(script, args, { env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file } });
  let counted;
  try {
    counted = totals(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // A runner can fail with every test passed (an unhandled rejection, a leak): never report that as success.
  if (status !== 0 && counted.failed === 0) counted.failed = 1;
  return counted;
}

/**
 * Tests of a vitest project.
 * @param {string} name
 * @param {string} project
 * @param {readonly string[]} [how] the command, and which files; default: all of them, once
 */
export function vitest(name, project, how = ['run']) {
  const file = join(REPORTS, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  return suite(name, 'vitest/vitest.mjs', [...how, '--project', project, ...reporters], vitestTotals, file);
}

/** Tests in a browser of their own, against the built page. @param {string} name @param {readonly string[]} [files] */
export function playwright(name, files = []) {
  const args = ['test', '--reporter=list,json', ...files];
  return suite(name, '@playwright/test/cli.js', args, playwrightTotals, join(REPORTS, 'e2e.json'));
}

/**
 * Goes through the steps one by one; ends with one line of totals.
 * @param {() => AsyncGenerator<Totals>} steps
 * @returns {Promise<number>} exit status
 */
export async function total(steps) {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const started = performance.now();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for await (const { passed, failed, skipped } of steps()) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  say(`\n${minutes} min${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`);
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed === 0 ? 0 : 1;
}
