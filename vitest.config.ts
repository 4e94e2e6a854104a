/** @file Two test projects: `node` for what needs no browser, `browser` (Chromium, headless) for what does. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { CHROMIUM_ARGS, findChromium } from './scripts/ensure.mjs';
import { LATE_PACKAGES } from './scripts/latePackages.mjs';
import { packedModules } from './scripts/pack.mjs';

const browserTests = ['**/*.svelte.test.ts', '**/*.browser.test.ts'];
const executablePath = findChromium();

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        // The root entry runs wasm under Node; the trimmed one does not.
        resolve: { alias: { 'onnxruntime-web/wasm': 'onnxruntime-web' } },
        test: {
          name: 'node',
          environment: 'node',
          include: ['{src,workers,scripts,e2e/golden}/**/*.test.ts'],
          exclude: browserTests,
          testTimeout: 60_000,
        },
      },
      {
        plugins: [svelte(), packedModules()],
        resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
        // Found only while tests run, these would be bundled then, and the page reloaded under the tests.
        optimizeDeps: {
          exclude: ['onnxruntime-web'],
          include: ['axe-core', ...LATE_PACKAGES],
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
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: CHROMIUM_ARGS, ...(executablePath === null ? {} : { executablePath }) },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
