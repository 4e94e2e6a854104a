/** @file End-to-end tests: the built page in Debian's or any other Chromium, and the scenarios of all browsers in Firefox, WebKit and on other hosts. */
import { defineConfig } from '@playwright/test';
import type { EngineName } from './e2e/engines/driver.ts';
import { CHROMIUM_ARGS, findChromium } from './scripts/ensure.mjs';

const PORT = 4179;
const executablePath = findChromium();

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
  // Training takes every core: side by side, tests would starve one another.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI !== undefined,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL: `http://localhost:${PORT}`,
    trace: 'retain-on-failure',
    launchOptions: { args: CHROMIUM_ARGS, ...(executablePath === null ? {} : { executablePath }) },
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
