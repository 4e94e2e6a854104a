/** @file `npm test`: lint, types, node tests, browser tests, end-to-end tests; ends with one line of totals. With --changed: what an edit can break. */
import { testChanged } from './changed.mjs';
import {
  ensureBuild,
  ensureHeadless,
  ensureOtherBrowsers,
  ensurePackages,
  main,
  Refusal,
  runTool,
} from './ensure.mjs';
import { ensureHooks } from './hooks.mjs';
import { check, playwright, total, vitest } from './suites.mjs';

await main(async () => {
  const [argument, ...more] = process.argv.slice(2);
  const changed = argument === undefined ? null : /^--changed(?:=(.+))?$/.exec(argument);
  if (more.length > 0 || (argument !== undefined && changed === null))
    throw new Refusal(
      'npm test takes --changed or --changed=COMMIT alone. Leave the rest out; CONTRIBUTING.md says how to run single tests.',
      2,
    );
  await ensurePackages();
  ensureHooks();
  if (changed) return testChanged(changed[1] ?? null);
  // Where they must be installed first, types and build go on meanwhile.
  const browsers = ensureHeadless().then(async (path) => {
    process.env.CHROME_PATH = path;
    await ensureOtherBrowsers();
  });
  browsers.catch(() => undefined);
  return total(async function* () {
    // Minutes on one core that nothing waits for: they fill the gaps that the tests leave.
    const lint = runTool('../scripts/lint.mjs', [], { quiet: true, idle: true });
    const format = lint.then(() =>
      runTool('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.'], {
        quiet: true,
        idle: true,
      }),
    );
    yield await check('types', () => runTool('../scripts/types.mjs', []));
    // Before all that drives the page: a test that had to build it first would be the one whose time runs out.
    yield await check('build', () => ensureBuild().then(() => 0));
    await browsers;
    yield await vitest('unit tests (node)', 'node');
    yield await vitest('browser tests', 'browser');
    yield await playwright('end-to-end tests (Chromium, Firefox, WebKit)');
    yield await check('lint', () => lint);
    yield await check('format', () => format);
  });
});
