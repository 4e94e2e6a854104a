/** @file Builds and serves the page: a static site that works from any folder, cross-origin isolated where the host allows it. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defaultClientConditions, defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { LATE_PACKAGES } from './scripts/latePackages.mjs';
import { shippedLicences } from './scripts/licences.mjs';
import { builtInFiles, hashedEntries } from './scripts/ownFiles.mjs';
import { packedData, packedModules, separateEntries } from './scripts/pack.mjs';
import { ISOLATION, WIDE_FOLDER } from './scripts/policy.mjs';
import { strictPolicy } from './scripts/policyPlugin.mjs';
import { versions } from './scripts/version.mjs';

const { rotune, runtime, source } = versions();

export default defineConfig(({ command }) => {
  const known = command === 'build' ? builtInFiles() : undefined;
  return {
    base: './',
    plugins: [
      svelte(),
      strictPolicy(),
      packedModules(),
      packedData(),
      shippedLicences(),
      VitePWA({
        strategies: 'injectManifest',
        srcDir: 'workers',
        filename: 'service-worker.ts',
        registerType: 'prompt',
        injectRegister: false,
        includeManifestIcons: false,
        manifest: {
          id: './',
          name: 'Rotune',
          short_name: 'Rotune',
          description: 'Fine-tune a neural network in a browser tab by rotating its weights.',
          start_url: './',
          scope: './',
          display: 'standalone',
          background_color: '#faf8f4',
          theme_color: '#faf8f4',
          icons: [
            { src: 'icons/icon.svg', sizes: 'any', type: 'image/svg+xml' },
            { src: 'icons/icon-192.png', sizes: '192x192', type: 'image/png' },
            { src: 'icons/icon-512.png', sizes: '512x512', type: 'image/png' },
            { src: 'icons/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          ],
        },
        injectManifest: {
          // Not every browser takes modules there.
          rollupFormat: 'iife',
          // All that the build made, whatever its kind: the worker chooses what it keeps at once, and what at first use.
          globPatterns: ['**/*'],
          // Hosts read it, and serve it or not.
          globIgnores: ['_headers'],
          maximumFileSizeToCacheInBytes: 2 ** 31,
          manifestTransforms: [
            (entries) => ({ manifest: hashedEntries('dist', entries, known ?? {}), warnings: [] }),
          ],
        },
      }),
    ],
    define: {
      'import.meta.env.VITE_ROTUNE': JSON.stringify(rotune),
      'import.meta.env.VITE_ROTUNE_RUNTIME': JSON.stringify(runtime),
      'import.meta.env.VITE_ROTUNE_SOURCE': JSON.stringify(source),
      ROTUNE_FILES: JSON.stringify(known),
    },
    // The runtime's wasm comes as a file of its own: a copy inside the bundle hangs with threads.
    resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
    worker: {
      format: 'es',
      plugins: () => [
        packedModules(),
        separateEntries({ trainer: 'workers/trainer/serve.ts', download: 'workers/download/serve.ts' }),
      ],
      rolldownOptions: {
        output: {
          // By its folder hosts know the one script whose policy is wider.
          entryFileNames: ({ name }) =>
            `${name.startsWith('download.worker') ? WIDE_FOLDER : 'assets'}/[name]-[hash].js`,
        },
      },
    },
    optimizeDeps: { exclude: ['onnxruntime-web'], include: LATE_PACKAGES },
    build: { target: 'es2023', assetsInlineLimit: 2048, chunkSizeWarningLimit: 700 },
    server: { headers: ISOLATION },
  };
});
