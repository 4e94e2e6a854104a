/** @file The import layers bite: small wrong snippets go through ESLint with the project's own configuration. */
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { forbidden, LAYERS } from './layers.mjs';

describe('the layer rule', () => {
  it('lets a folder import every folder before it and none after it', () => {
    for (const [i, from] of LAYERS.entries()) {
      for (const [j, to] of LAYERS.entries()) {
        const verdict = forbidden(`src/${from}/a.ts`, `#src/${to}/b.ts`, false);
        const strangers = [from, to].sort().join() === 'store,training';
        if (j <= i && !strangers) expect(verdict, `${from} → ${to}`).toBeNull();
        else expect(verdict, `${from} → ${to}`).toMatch(/may not import|meet only/);
      }
    }
  });

  it.each([
    ['a relative path that climbs', 'src/graph/a.ts', '../ops/table.ts', false],
    ['a type that is no contract', 'src/graph/a.ts', '#src/ops/table.ts', true],
    ['the runtime package elsewhere', 'src/training/loop.ts', 'onnxruntime-web/wasm', false],
    ['the protobuf package elsewhere', 'src/graph/a.ts', '@bufbuild/protobuf', false],
    ['the database package elsewhere', 'src/app/a.ts', 'idb-keyval', false],
    ['a component that wants tensors', 'src/ui/Page.svelte', '#src/onnx/tensor.ts', true],
    ['a worker that imports the page', 'workers/trainer.worker.ts', '#src/app/state.svelte.ts', false],
    ['the page that imports a worker', 'src/app/worker/client.ts', '#workers/trainer.worker.ts', false],
    ['code that imports a test helper', 'src/graph/a.ts', './testing/close.ts', false],
  ])('refuses %s', (_, file, source, typeOnly) => {
    expect(forbidden(file, source, typeOnly)).not.toBeNull();
  });

  it.each([
    ['the types of a contract from below', 'src/oft/find.ts', '#src/formats/jobs/jobTypes.ts', true],
    ['the protocol’s types on the page', 'src/app/worker/client.ts', '#workers/protocol.ts', true],
    ['the runtime package at home', 'src/runtime/sessions.ts', 'onnxruntime-web/wasm', false],
    ['anything in a test', 'src/onnx/codec.test.ts', '#src/runtime/load.ts', false],
    ['a worker that imports the training loop', 'workers/trainer.worker.ts', '#src/training/loop.ts', false],
    ['a package nobody owns', 'src/formats/files/toml.ts', 'smol-toml', false],
  ])('allows %s', (_, file, source, typeOnly) => {
    expect(forbidden(file, source, typeOnly)).toBeNull();
  });

  it('is switched on for static imports, re-exports and dynamic imports', async () => {
    const { rules } = (await new ESLint().calculateConfigForFile('src/graph/types.ts')) as {
      rules: Record<string, [number]>;
    };
    expect(rules['rotune/layers']?.[0]).toBe(2);
    // The rule alone: type-aware rules would need the snippet to be a file of the project.
    const { layersPlugin } = await import('./layers.mjs');
    const eslint = new ESLint({
      overrideConfigFile: true,
      overrideConfig: [{ plugins: { rotune: layersPlugin }, rules: { 'rotune/layers': 'error' } }],
    });
    const snippet = `
      import { operators } from '#src/ops/table.ts';
      export * from '../autodiff/backward.ts';
      export const later = () => import('onnxruntime-web');
      export { operators };
    `;
    const [result] = await eslint.lintText(snippet, { filePath: 'src/graph/wrong.js' });
    expect(result?.messages.map((m) => m.message)).toEqual([
      expect.stringContaining('graph may not import ops'),
      expect.stringContaining('graph may not import autodiff'),
      expect.stringContaining('only src/runtime may import onnxruntime-web'),
    ]);
  });
});
