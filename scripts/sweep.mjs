/**
 * @file `npm run sweep`: the sweeps of the unit, browser and end-to-end tests at full depth, of which `npm test` runs every kind a few times; ends with one line
 * of totals.
 */
import { ensureBuild, ensureChromium, ensurePackages, main } from './ensure.mjs';
import { check, playwright, total, vitest } from './suites.mjs';

/** Tests that use it have two depths. */
const DEPTH = 'src/platform/testing/depth.ts';

await main(async () => {
  await ensurePackages();
  process.env.CHROME_PATH = await ensureChromium();
  process.env.ROTUNE_SWEEP = '1';
  return total(async function* () {
    for (const project of ['node', 'browser'])
      yield await vitest(`sweeps (${project})`, project, ['related', '--run', DEPTH]);
    yield await check('build', () => ensureBuild().then(() => 0));
    yield await playwright('sweeps (end to end)', [
      ...['accessibility', 'flat', 'resume', 'tune'].map((name) => `e2e/specs/${name}.spec.ts`),
      'e2e/engines',
    ]);
  });
});
