/** @file No circle of imports is there, and the rule sees the ones that might come. */
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { circle, importGraph, importsOf } from './circles.mjs';
import { layersPlugin } from './layers.mjs';

describe('circles of imports', () => {
  const graph = importGraph(process.cwd());

  it('are nowhere, types included', () => {
    expect(graph.size).toBeGreaterThan(500);
    const found = [...graph].flatMap(([file, imports]) => circle(file, imports, graph) ?? []);
    expect(found).toEqual([]);
  });

  it('every import of our own leads to a file', () => {
    const lost = [...graph].flatMap(([file, imports]) =>
      imports.filter((to) => /\.ts$/.test(to) && !graph.has(to)).map((to) => `${file} → ${to}`),
    );
    expect(lost).toEqual([]);
  });

  it.each([
    ["import { a } from './b.ts';", ['src/x/b.ts']],
    ["import type { A } from '#src/y/c.ts';", ['src/y/c.ts']],
    ["export * from '../z/d.ts';", ['src/z/d.ts']],
    ["const e = await import('./e.ts');", ['src/x/e.ts']],
    ["import worker from './f.ts?worker';", ['src/x/f.ts']],
    ["import 'svelte';", []],
  ])('%s is seen', (text, want) => {
    expect(importsOf('src/x/a.ts', text)).toEqual(want);
  });

  it('are found by the shortest way, however long', () => {
    const ring = new Map([
      ['a', ['b', 'x']],
      ['b', ['c']],
      ['c', ['a']],
      ['x', []],
    ]);
    expect(circle('a', ['b', 'x'], ring)).toEqual(['a', 'b', 'c', 'a']);
    expect(circle('x', ['x'], ring)).toEqual(['x', 'x']);
    expect(circle('x', [], ring)).toBeNull();
  });

  it('are an error of the linter', async () => {
    const { rules } = (await new ESLint().calculateConfigForFile('src/graph/types.ts')) as {
      rules: Record<string, [number]>;
    };
    expect(rules['rotune/circles']?.[0]).toBe(2);
    const eslint = new ESLint({
      overrideConfigFile: true,
      overrideConfig: [
        {
          files: ['**/*.ts'],
          languageOptions: { parser: tseslint.parser },
          plugins: { rotune: layersPlugin },
          rules: { 'rotune/circles': 'error' },
        },
      ],
    });
    // src/graph/types.ts imports this file.
    const lint = (text: string) => eslint.lintText(text, { filePath: 'src/onnx/model.ts' });
    const [wrong] = await lint("import type { Graph } from '#src/graph/types.ts';\n");
    expect(wrong?.messages.map(({ ruleId }) => ruleId)).toEqual(['rotune/circles']);
    expect(wrong?.messages[0]?.message).toContain('src/graph/types.ts → src/onnx/model.ts');
    const [right] = await lint('export const one = 1;\n');
    expect(right?.messages).toEqual([]);
  });
});
