/** @file A headless Chromium with the built page open: a stable origin whatever the port, so that its database is found again. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { Refusal, ROOT } from '../ensure.mjs';
import { serve } from '../serve.mjs';

/** IndexedDB belongs to an origin: this name is mapped to the server's free port. */
const HOST = 'rotune.localhost';

/**
 * Addresses for the job's own files, which nobody can guess who was not told: other programs and users of the machine reach the port, too.
 * @param {Record<string, { name: string, files: readonly { path: string, file: string }[] }>} folders by what they are for
 */
export function addressed(folders) {
  const secret = randomBytes(16).toString('hex');
  /** @type {Map<string, string>} */
  const files = new Map();
  /** @type {Record<string, { name: string, files: { path: string, url: string }[] }>} */
  const inputs = {};
  for (const [role, folder] of Object.entries(folders)) {
    const list = folder.files.map(({ path, file }, i) => {
      const [ending = ''] = /\.[a-z0-9]+$/i.exec(path) ?? [];
      const url = `/.local/${secret}/${role}/${i}${ending}`;
      files.set(url, file);
      return { path, url };
    });
    inputs[role] = { name: folder.name, files: list };
  }
  return { files, inputs };
}

/**
 * @typedef {object} OpenPage
 * @property {import('playwright').Page} page
 * @property {string} version of the browser
 * @property {() => Promise<void>} close
 */

/**
 * Serves dist/ and the job's files, and opens the page.
 * @param {{ executable: string, profile: string, files: ReadonlyMap<string, string>, software: boolean, threads: number | null }} options
 *   profile: folder of the browser's own data; files: address path → file; software: WebGPU on the CPU (SwiftShader); threads: null: as many as help
 * @returns {Promise<OpenPage>}
 */
export async function openPage({ executable, profile, files, software, threads }) {
  const server = await serve({ files });
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
    await page.goto(`http://${HOST}/${threads === null ? '' : `?threads=${threads}`}`);
    await page.waitForFunction(() => globalThis.rotune !== undefined, undefined, { timeout: 60_000 });
    return { page, version: context.browser()?.version() ?? 'unknown', close };
  } catch (error) {
    await close();
    throw new Refusal(
      `the page in ${join(ROOT, 'dist')} did not open: ${firstLine(error)}; remove dist/, and start again`,
    );
  }
}

/** What happened, without the stack. @param {unknown} error */
export function firstLine(error) {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/^(page|browserContext)\.\w+: (Error: )?/, '');
}
