/** @file `npm run check -- MODEL.onnx …`: prints what Rotune makes of a model; on request, its outputs and gradients. See --help. */
import { ensurePackages, main, ROOT } from './ensure.mjs';

await main(async () => {
  await ensurePackages();
  const { runnerImport } = await import('vite');
  /** @type {{ module: typeof import('./check/main.ts') }} */
  const { module } = await runnerImport('/scripts/check/main.ts', {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
  });
  // npm runs scripts in the package's folder; paths are meant from where the person stands.
  return module.check(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
});
