/** @file The same page in the same Chromium as the end-to-end tests, with every fault injected as often as docs/reliability.md says. */
import config from '../../playwright.config.ts';
import { ROOT } from '../../scripts/ensure.mjs';

const { webServer, ...shared } = config;

export default {
  ...shared,
  testDir: '.',
  outputDir: '../../test-results/reliability-e2e',
  // A whole kind of fault, many times over, in one test.
  timeout: 3_600_000,
  projects: [
    { name: 'reliability', use: { browserName: 'chromium' as const, serviceWorkers: 'allow' as const } },
  ],
  // It builds the page first.
  webServer: { ...(Array.isArray(webServer) ? webServer[0]! : webServer!), cwd: ROOT, timeout: 600_000 },
};
