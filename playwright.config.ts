/** @file End-to-end tests: the built page in Debian's or any other Chromium, and the scenarios of all browsers in Firefox, WebKit and on other hosts. */
import { defineConfig } from '@playwright/test';
import type { EngineName } from './e2e/engines/driver.ts';
import { createHash } from 'node:crypto';
import { TEST_CHROMIUM_ARGS, findChromium, ROOT } from './scripts/ensure.mjs';

/** One for each checkout: a server that is still up is taken again, and must not be another one's. */
const PORT = 4200 + (createHash('sha256').update(ROOT).digest().readUInt16BE() % 1000);
const executablePath = findChromium();
/** A camera that shows a moving pattern, and that nobody need allow. */
const CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** The scenarios in a browser; those alone that are tagged, where a tag is given. */
const scenarios = (name: string, engineName: EngineName, grep = /./) => ({
  name,
  testDir: 'e2e/engines',
  grep,
  timeout: 360_000,
  use: { engineName },
});

export default defineConfig<object, { engineName: EngineName }>({
  testDir: 'e2e/specs',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results/e2e',
  // A test waits for pages, drivers and single threads as long as it trains: two keep two cores busy, three are no quicker.
  workers: 2,
  fullyParallel: true,
  forbidOnly: process.env.CI !== undefined,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL: `http://localhost:${PORT}`,
    // A trace costs a fifth of a test's time: `--trace retain-on-failure` where one is wanted.
    trace: 'off',
    // It stores the whole page behind a first visit's back: a second of CPU, for those alone that are about it.
    serviceWorkers: 'block',
    launchOptions: {
      args: [...TEST_CHROMIUM_ARGS, ...CAMERA],
      ...(executablePath === null ? {} : { executablePath }),
    },
  },
  projects: [
    { name: 'chromium', use: { browserName: 'chromium' } },
    // What the specs show of Chromium is not shown again.
    scenarios('hosts', 'chromium', /@hosts/),
    scenarios('firefox', 'firefox'),
    scenarios('webkit', 'webkit', /@webkit/),
  ],
  webServer: {
    command: `node scripts/serve.mjs --build --port ${PORT}`,
    url: `http://localhost:${PORT}`,
    reuseExistingServer: process.env.CI === undefined,
  },
});
