/** @file Two test projects: `node` for what needs no browser, `browser` (Chromium, headless) for what does. */
import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { TEST_CHROMIUM_ARGS, findChromium } from './scripts/ensure.mjs';
import { LATE_PACKAGES } from './scripts/latePackages.mjs';
import { packedModules } from './scripts/pack.mjs';

const browserTests = ['**/*.svelte.test.ts', '**/*.browser.test.ts'];
/** Milliseconds that a test may take; what it waits for, nearly all of them, since the polls' own default is a second. */
const patience = { testTimeout: 60_000, expect: { poll: { timeout: 50_000 } } };
const executablePath = findChromium();

export default defineConfig({
  test: {
    passWithNoTests: true,
    // By default one core is left idle: half of a machine with two.
    maxWorkers: availableParallelism(),
    provide: { sweep: process.env.ROTUNE_SWEEP === '1' },
    projects: [
      {
        // The root entry runs wasm under Node; the trimmed one does not.
        resolve: { alias: { 'onnxruntime-web/wasm': 'onnxruntime-web' } },
        test: {
          name: 'node',
          environment: 'node',
          include: ['{src,workers,scripts,e2e/golden,e2e/fuzz,e2e/bench}/**/*.test.ts'],
          exclude: browserTests,
          // One process for many files shares the runtime's compiled WebAssembly; clean.ts keeps them apart otherwise.
          isolate: false,
          setupFiles: ['scripts/testing/clean.ts'],
          ...patience,
        },
      },
      {
        plugins: [svelte(), packedModules()],
        resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
        // Found only while tests run, these would be bundled then, and the page reloaded under the tests.
        optimizeDeps: {
          exclude: ['onnxruntime-web'],
          include: ['axe-core', 'fflate', ...LATE_PACKAGES],
        },
        server: {
          headers: {
            'Cross-Origin-Opener-Policy': 'same-origin',
            'Cross-Origin-Embedder-Policy': 'require-corp',
          },
        },
        test: {
          name: 'browser',
          include: browserTests.map((pattern) => `{src,workers}/${pattern}`),
          // Pages side by side; what stands at the top counts for Node's processes alone.
          maxWorkers: availableParallelism(),
          ...patience,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                args: TEST_CHROMIUM_ARGS,
                ...(executablePath === null ? {} : { executablePath }),
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
