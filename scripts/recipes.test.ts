/**
 * @file Whoever follows the recipes of CONTRIBUTING.md to the letter gets something that lints, has its types right and passes its tests. All are followed in
 * one copy of the repository, whose settings are narrowed to what the recipes touch.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { ROOT } from './ensure.mjs';
import { follow, recipesOf } from './recipes.mjs';

const recipes = recipesOf(readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8'));
/** Below the repository, so that packages are found; what lies here no tool of the repository looks at. */
const CACHE = join(ROOT, '.cache');
const COPIED = [
  'src',
  'workers',
  'scripts',
  'package.json',
  'package-lock.json',
  'index.html',
  'eslint.config.js',
].concat(
  ['.prettierrc.json', 'svelte.config.js', 'vite.config.ts', 'vitest.config.ts', 'tsconfig.base.json'],
  ['tsconfig.page.json', 'tsconfig.worker.json', 'tsconfig.node.json'],
);
const touched = recipes.flatMap(({ files, edits }) => [...files, ...edits].map(({ path }) => path));
const isTest = (path: string): boolean => path.endsWith('.test.ts');
const isBrowsers = (path: string): boolean => path.endsWith('.svelte.test.ts');
const isPages = (path: string): boolean => /^src\/(app|ui)\//.test(path);

let root = '';

/** Each realm's settings, for the touched files and what they import alone. */
function narrow(): void {
  const realms = {
    page: touched.filter(isPages),
    worker: touched.filter((path) => !isPages(path) && !isTest(path)),
    node: touched.filter((path) => !isPages(path) && isTest(path)),
  };
  for (const [realm, files] of Object.entries(realms)) {
    const file = join(root, `tsconfig.${realm}.json`);
    const { compilerOptions } = JSON.parse(readFileSync(file, 'utf8')) as { compilerOptions: object };
    const extra = ['src/runtime/packed.d.ts'];
    writeFileSync(
      file,
      JSON.stringify({ extends: './tsconfig.base.json', compilerOptions, files: [...files, ...extra] }),
    );
  }
}

/** Runs an installed tool in the copy. Rejects with all that it printed. */
const tool = (script: string, ...args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(ROOT, 'node_modules', script), ...args],
      { cwd: root, encoding: 'utf8', maxBuffer: 1e8, env: { ...process.env, VITEST: undefined } },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${script} ${args.join(' ')}\n${stdout}\n${stderr}`));
        else resolve();
      },
    );
  });

beforeAll(() => {
  mkdirSync(CACHE, { recursive: true });
  root = mkdtempSync(join(CACHE, 'recipes-'));
  for (const path of COPIED) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  symlinkSync(join(ROOT, 'public'), join(root, 'public'));
  for (const recipe of recipes) follow(recipe, root);
  narrow();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the recipes', () => {
  it('are four, each one file or folder, a test, and one line elsewhere', () => {
    expect(recipes.map(({ title }) => title)).toEqual([
      'A new operator',
      'A new adapter format',
      'A new task',
      'A new view',
    ]);
    for (const { title, files, edits } of recipes) {
      expect(
        edits.map(({ added }) => added),
        title,
      ).toEqual([1]);
      const own = files.map(({ path }) => path);
      expect(own.filter(isTest), title).toHaveLength(1);
      expect(new Set(own.map((path) => dirname(path))).size, title).toBe(1);
    }
  });

  it('are formatted', { timeout: 300_000 }, async () => {
    await tool('prettier/bin/prettier.cjs', '--check', ...touched);
  });

  it('have their types right', { timeout: 300_000 }, async () => {
    // By way of the tests these are all of them but the view.
    await tool('@typescript/native/bin/tsc', '-p', 'tsconfig.node.json');
  });

  it('pass their own tests', { timeout: 300_000 }, async () => {
    await tool(
      'vitest/vitest.mjs',
      'run',
      '--project',
      'node',
      ...touched.filter((p) => isTest(p) && !isBrowsers(p)),
    );
  });
});

// The linter, a browser, and the types of the page and of the worker each take longer than the rest together.
const inFull = (): void => {
  it('lint', { timeout: 300_000 }, async () => {
    await tool('eslint/bin/eslint.js', ...touched, '--max-warnings', '0');
  });

  it('show their view', { timeout: 300_000 }, async () => {
    const config = join(root, 'vitest.config.ts');
    const text = readFileSync(config, 'utf8');
    // The packages lie outside of the copy.
    const open = text.replace('        server: {', '        server: {\n          fs: { strict: false },');
    expect(open).not.toBe(text);
    writeFileSync(config, open);
    await tool('vitest/vitest.mjs', 'run', '--project', 'browser', ...touched.filter(isBrowsers));
  });

  it('have their types right where they run', { timeout: 300_000 }, async () => {
    await tool('@typescript/native/bin/tsc', '-p', 'tsconfig.worker.json');
    await tool('svelte-check/bin/svelte-check', '--tsconfig', './tsconfig.page.json', '--fail-on-warnings');
  });
};
if (depth(false, true)) describe('the recipes, in full', inFull);
