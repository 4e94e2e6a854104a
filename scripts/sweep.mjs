/**
 * @file `npm run sweep`: the sweeps of the unit and browser tests at full depth, of which `npm test` runs every kind a few times; ends with one line
 * of totals.
 */
import { ensureChromium, ensurePackages, main } from './ensure.mjs';
import { total, vitest } from './suites.mjs';

/** Tests that use it have two depths. */
const DEPTH = 'src/platform/testing/depth.ts';

await main(async () => {
  await ensurePackages();
  process.env.CHROME_PATH = await ensureChromium();
  process.env.ROTUNE_SWEEP = '1';
  return total(async function* () {
    for (const project of ['node', 'browser'])
      yield await vitest(`sweeps (${project})`, project, ['related', '--run', DEPTH]);
  });
});
