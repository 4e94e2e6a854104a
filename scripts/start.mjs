/** @file `npm start`: installs what is missing, builds, serves the page and opens it where there is a desktop. */
import { spawn } from 'node:child_process';
import { ensureBuild, ensurePackages, main, Refusal, say } from './ensure.mjs';
import { ensureHooks } from './hooks.mjs';
import { serve } from './serve.mjs';

const PREFERRED_PORT = 4173;

/** Opens an address in the desktop's browser; does nothing where there is no desktop. @param {string} address */
function openOnDesktop(address) {
  const desktop =
    process.platform !== 'linux' ||
    process.env.DISPLAY !== undefined ||
    process.env.WAYLAND_DISPLAY !== undefined;
  if (!desktop || process.env.CI !== undefined) return;
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', address]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', address]
        : ['xdg-open', address];
  spawn(/** @type {string} */ (program), args, { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

/** The asked-for port, else the usual one, else a free one. */
async function serveSomewhere() {
  const asked = process.env.PORT;
  if (asked !== undefined) {
    return serve({ port: Number(asked) }).catch(() => {
      throw new Refusal(`port ${asked} (from PORT) is not free; choose another, or stop what listens there`);
    });
  }
  return serve({ port: PREFERRED_PORT }).catch(() => serve());
}

await main(async () => {
  await ensurePackages();
  ensureHooks();
  await ensureBuild();
  const { origin } = await serveSomewhere();
  say('');
  console.log(`Rotune is ready: ${origin}`);
  say('Press Ctrl+C to stop.');
  openOnDesktop(origin);
  return undefined;
});
