/** @file `npm run fuzz -- [kind] [minutes]`: brings damaged and hostile input to whatever reads some, until the time is over. See --help. */
import { ensurePackages, main, runSource } from './ensure.mjs';

await main(async () => {
  await ensurePackages();
  /** @type {typeof import('./fuzz/main.ts')} */
  const module = await runSource('scripts/fuzz/main.ts');
  return module.fuzz(process.argv.slice(2));
});
