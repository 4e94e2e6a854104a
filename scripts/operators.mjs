/** @file `npm run operators`: writes docs/operators.md from the table of operators. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, main, ROOT, runSource, say } from './ensure.mjs';

await main(async () => {
  await ensurePackages();
  /** @type {typeof import('../src/ops/checks/coverage.ts')} */
  const module = await runSource('src/ops/checks/coverage.ts');
  writeFileSync(join(ROOT, 'docs/operators.md'), module.coveragePage());
  say('docs/operators.md is written.');
  return 0;
});
