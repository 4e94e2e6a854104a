/** @file `npm test`: lint, types, node tests, browser tests, end-to-end tests; ends with one line of totals. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureChromium,
  ensureOtherBrowsers,
  ensurePackages,
  main,
  ROOT,
  runTool,
  say,
} from './ensure.mjs';
import { ensureHooks } from './hooks.mjs';

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
async function check(name, body) {
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

/** @param {string} project @param {string} name */
function vitest(project, name) {
  const file = join(REPORTS, `${project}.json`);
  const args = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  return suite(name, 'vitest/vitest.mjs', args, vitestTotals, file);
}

await main(async () => {
  await ensurePackages();
  ensureHooks();
  const chromium = await ensureChromium();
  process.env.CHROME_PATH = chromium;
  await ensureOtherBrowsers();
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const started = performance.now();
  const e2e = join(REPORTS, 'e2e.json');
  const results = [
    await check('lint', () => runTool('eslint/bin/eslint.js', ['.', '--max-warnings', '0'])),
    await check('format', () =>
      runTool('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
    ),
    await check('types', () => runTool('./types.mjs', [])),
    await vitest('node', 'unit tests (node)'),
    await vitest('browser', 'browser tests'),
    await check('build', () => ensureBuild().then(() => 0)),
    await suite(
      'end-to-end tests (Chromium, Firefox, WebKit)',
      '@playwright/test/cli.js',
      ['test', '--reporter=list,json'],
      playwrightTotals,
      e2e,
    ),
  ];
  const sum = (/** @type {keyof Totals} */ key) => results.reduce((total, result) => total + result[key], 0);
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  say(`\n${minutes} min${skipped}`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 ? 0 : 1;
});
