/** @file `npm run operators`: writes docs/operators.md from the table of operators. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, main, ROOT, say } from './ensure.mjs';

await main(async () => {
  await ensurePackages();
  const { runnerImport } = await import('vite');
  /** @type {{ module: typeof import('../src/ops/checks/coverage.ts') }} */
  const { module } = await runnerImport('/src/ops/checks/coverage.ts', {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
  });
  writeFileSync(join(ROOT, 'docs/operators.md'), module.coveragePage());
  say('docs/operators.md is written.');
  return 0;
});
