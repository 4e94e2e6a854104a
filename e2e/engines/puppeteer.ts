/** @file Firefox by WebDriver BiDi, and Chromium beside it, by one library. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type LaunchOptions } from 'puppeteer-core';
import { TEST_CHROMIUM_ARGS } from '../../scripts/ensure.mjs';
import type { Engine, Tab } from './driver.ts';

const launchOptions = (
  name: 'chromium' | 'firefox',
  executablePath: string,
  downloads: string,
): LaunchOptions =>
  name === 'firefox'
    ? {
        browser: 'firefox',
        executablePath,
        extraPrefsFirefox: {
          // A name of this machine that is not trusted as such.
          'network.dns.localDomains': 'plain.test',
          // On some CPUs (seen: Sapphire Rapids, virtual) Firefox 140 is six times slower with AVX: 39 s to the first step, 6 s without.
          'javascript.options.wasm_simd_avx': false,
          'browser.download.folderList': 2,
          'browser.download.dir': downloads,
          'browser.download.useDownloadDir': true,
          'browser.download.always_ask_before_handling_new_types': false,
        },
      }
    : {
        browser: 'chrome',
        executablePath,
        args: [...TEST_CHROMIUM_ARGS, '--host-resolver-rules=MAP plain.test 127.0.0.1'],
        downloadBehavior: { policy: 'allow', downloadPath: downloads },
      };

async function openTab(browser: Browser): Promise<Tab> {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  return {
    goto: async (url) => {
      await page.goto(url);
    },
    evaluate: (work, ...args) => page.evaluate(work as never, ...(args as unknown as never[])),
    reload: async () => {
      await page.reload();
    },
    close: () => page.close(),
  };
}

/** Starts the browser with a fresh profile. */
export async function launch(name: 'chromium' | 'firefox', executablePath: string): Promise<Engine> {
  const downloads = await mkdtemp(join(tmpdir(), 'rotune-downloads-'));
  const browser = await puppeteer.launch({
    headless: true,
    timeout: 120_000,
    protocolTimeout: 600_000,
    ...launchOptions(name, executablePath, downloads),
  });
  return {
    name,
    version: await browser.version(),
    downloads,
    newTab: () => openTab(browser),
    async close() {
      await browser.close();
      await rm(downloads, { recursive: true, force: true });
    },
  };
}
