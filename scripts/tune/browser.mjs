/** @file A headless Chromium with the built page open: a stable origin whatever the port, so that its database is found again. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { Refusal, ROOT } from '../ensure.mjs';
import { serve } from '../serve.mjs';

/** IndexedDB belongs to an origin: this name is mapped to the server's free port. */
const HOST = 'rotune.localhost';
/** Where the page finds the job's own folders. */
export const LOCAL = '/.local/';

/**
 * @typedef {object} OpenPage
 * @property {import('playwright').Page} page
 * @property {string} version of the browser
 * @property {() => Promise<void>} close
 */

/**
 * Serves dist/ and the job's folders, and opens the page.
 * @param {{ executable: string, profile: string, folders: Record<string, string>, software: boolean }} options
 *   profile: folder of the browser's own data; folders: name below LOCAL → folder; software: WebGPU on the CPU (SwiftShader)
 * @returns {Promise<OpenPage>}
 */
export async function openPage({ executable, profile, folders, software }) {
  const mounts = Object.fromEntries(
    Object.entries(folders).map(([name, path]) => [`${LOCAL}${name}/`, path]),
  );
  const server = await serve({ mounts });
  mkdirSync(profile, { recursive: true });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable,
    headless: true,
    serviceWorkers: 'block',
    // Ctrl+C saves the run first: the command closes the browser itself.
    handleSIGINT: false,
    args: [
      `--host-resolver-rules=MAP ${HOST}:80 127.0.0.1:${server.port}`,
      '--enable-unsafe-webgpu',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...(software ? ['--use-webgpu-adapter=swiftshader'] : ['--enable-features=Vulkan']),
    ],
  });
  const close = async () => {
    await context.close().catch(() => undefined);
    await server.close();
  };
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`http://${HOST}/`);
    await page.waitForFunction(() => globalThis.rotune !== undefined, undefined, { timeout: 60_000 });
    return { page, version: context.browser()?.version() ?? 'unknown', close };
  } catch (error) {
    await close();
    throw new Refusal(`the page in ${join(ROOT, 'dist')} did not open: ${firstLine(error)}`);
  }
}

/** What happened, without the stack. @param {unknown} error */
export function firstLine(error) {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/^(page|browserContext)\.\w+: (Error: )?/, '');
}
