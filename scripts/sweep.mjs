/**
 * @file `npm run sweep`: the sweeps of the unit, browser and end-to-end tests at full depth, of which `npm test` runs every kind a few times; ends with one line
 * of totals, behind those of the checks against Python.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureChromium,
  ensureOtherBrowsers,
  ensurePackages,
  main,
  ROOT,
  runTool,
} from './ensure.mjs';
import { check, playwright, total, vitest } from './suites.mjs';

/** Tests that use it have two depths. */
const DEPTH = 'src/platform/testing/depth.ts';

/** End-to-end tests that have two depths, themselves or by the examples that they share. */
const deepSpecs = () =>
  readdirSync(join(ROOT, 'e2e/specs'))
    .map((name) => `e2e/specs/${name}`)
    .filter((path) => /pages\/(depth|goals)\.ts'/.test(readFileSync(join(ROOT, path), 'utf8')));

await main(async () => {
  await ensurePackages();
  process.env.CHROME_PATH = await ensureChromium();
  await ensureOtherBrowsers();
  process.env.ROTUNE_SWEEP = '1';
  return total(async function* () {
    for (const project of ['node', 'browser'])
      yield await vitest(`sweeps (${project})`, project, ['related', '--run', DEPTH]);
    yield await check('build', () => ensureBuild().then(() => 0));
    yield await playwright('sweeps (end to end)', [...deepSpecs(), 'e2e/engines']);
    yield await check('parity', () => runTool('../scripts/parity.mjs', []));
  });
});
