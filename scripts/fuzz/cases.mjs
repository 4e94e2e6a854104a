/** @file The process that tries cases, one kind, seed after seed: whoever started it ends it, after too long a silence or when time is over. */
import { main, runSource } from '../ensure.mjs';

await main(async () => {
  const [kind, from] = process.argv.slice(2);
  /** @type {typeof import('./cases.ts')} */
  const module = await runSource('scripts/fuzz/cases.ts');
  return module.tryCases(String(kind), Number(from));
});
