/** @file `npm run types`: checks every realm (page, worker, node) and the components, with no warning let through. */
import { ensurePackages, main, runTool, say } from './ensure.mjs';

/** @type {readonly (readonly [name: string, script: string, args: readonly string[]])[]} */
const CHECKS = [
  [
    'page and components',
    'svelte-check/bin/svelte-check',
    ['--tsgo', '--tsconfig', './tsconfig.page.json', '--fail-on-warnings', '--output', 'human'],
  ],
  // TypeScript 7 checks these five times as fast; what uses the compiler as a library, here and in ESLint, needs 6.
  ['worker', '@typescript/native/bin/tsc', ['-p', 'tsconfig.worker.json']],
  ['node', '@typescript/native/bin/tsc', ['-p', 'tsconfig.node.json']],
];

await main(async () => {
  await ensurePackages();
  let failed = 0;
  for (const [name, script, args] of CHECKS) {
    const ok = (await runTool(script, args, { quiet: true })) === 0;
    say(`types, ${name}: ${ok ? 'ok' : 'FAILED'}`);
    if (!ok) failed++;
  }
  return failed === 0 ? 0 : 1;
});
