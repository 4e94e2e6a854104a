/** @file `npm run check -- MODEL.onnx …`: prints what Rotune makes of a model; on request, its outputs and gradients. See --help. */
import { ensurePackages, main, runSource } from './ensure.mjs';

await main(async () => {
  await ensurePackages();
  /** @type {typeof import('./check/main.ts')} */
  const module = await runSource('scripts/check/main.ts');
  // npm runs scripts in the package's folder; paths are meant from where the person stands.
  return module.check(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
});
