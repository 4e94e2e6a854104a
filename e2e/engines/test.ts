/** @file Playwright's runner without its browsers: each project names the one that is driven, and a browser serves all of its tests. */
import { test as base, expect } from '@playwright/test';
import { findChromium, findFirefox, findWebKit } from '../../scripts/ensure.mjs';
import type { Engine, EngineName } from './driver.ts';
import { type Host, type HostOptions, hostPage } from './host.ts';
import { launch } from './puppeteer.ts';
import { RemotePage } from './remotePage.ts';
import { launchWebKit } from './webkit.ts';

const programs = { chromium: findChromium, firefox: findFirefox, webkit: findWebKit };

/** Starts the browser that is installed. Throws where there is none. */
export async function start(name: EngineName, sharedMemory = true): Promise<Engine> {
  if (name === 'webkit') {
    const found = findWebKit();
    if (found) return launchWebKit(found, sharedMemory);
  } else {
    const found = name === 'firefox' ? findFirefox() : findChromium();
    if (found !== null) return launch(name, found);
  }
  throw new Error(`There is no ${name} on this machine.`);
}

interface Means {
  /** Serves the page until the test ends. */
  serve(options: HostOptions): Promise<Host>;
  /** A new tab at a host's page. */
  visit(host: Host): Promise<RemotePage>;
}

interface Choice {
  engineName: EngineName;
  engine: Engine;
}

export const test = base.extend<Means, Choice>({
  engineName: ['chromium', { option: true, scope: 'worker' }],
  engine: [
    async ({ engineName }, use) => {
      const engine = await start(engineName);
      await use(engine);
      await engine.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  // Playwright reads from the first argument what a fixture needs.
  // eslint-disable-next-line no-empty-pattern
  serve: async ({}, use) => {
    const hosts: Host[] = [];
    await use(async (options) => {
      const host = await hostPage(options);
      hosts.push(host);
      return host;
    });
    for (const host of hosts) await host.close();
  },
  visit: async ({ engine }, use) => {
    const pages: RemotePage[] = [];
    await use(async (host) => {
      const page = new RemotePage(engine, await engine.newTab(), host.url);
      pages.push(page);
      return page;
    });
    for (const page of pages) await page.tab.close().catch(() => undefined);
  },
});

// On a developer's machine a browser may be missing; in CI it may not.
test.beforeEach(({ engineName }) => {
  const missing = programs[engineName]() === null && process.env.CI === undefined;
  test.skip(missing, `${engineName} is not installed here`);
});

export { expect };
