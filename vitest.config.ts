import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: { 'onnxruntime-web/wasm': 'onnxruntime-web' } },
        test: {
          name: 'node',
          environment: 'node',
          include: [
            'src/**/*.test.ts',
            'workers/**/*.test.ts',
            'e2e/golden/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: ['**/*.svelte.test.ts', '**/*.browser.test.ts'],
          testTimeout: 60_000,
        },
      },
    ],
  },
});
