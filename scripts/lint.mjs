/**
 * @file `npm run lint`, with paths for some files alone: the rules of eslint.config.js. Those that need types are applied to TypeScript by Oxlint, whose
 * tsgolint asks TypeScript 7, in a tenth of the time; all else, and components whole, by ESLint itself.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, main, ROOT, runTool } from './ensure.mjs';

/** Of the newest typescript-eslint, and not in tsgolint yet: only an editor's ESLint says these. */
const NOT_YET = [
  'no-generated-empty-object-type',
  'no-unsafe-class-instance-assignment',
  'no-unsafe-enum-assignment',
].map((rule) => `@typescript-eslint/${rule}`);

/** Files whose rules differ from those of all others, after a sample of each: eslint.config.js says how. */
const GROUPS = [
  ['**/*.ts', 'src/onnx/tensor.ts'],
  ['**/*.svelte.ts', 'src/app/lab.svelte.ts'],
  ['**/*.svelte.test.ts', 'src/ui/App.svelte.test.ts'],
  ['src/ui/main.ts', 'src/ui/main.ts'],
];

/**
 * The rules that need types as they are for a file, in Oxlint's names.
 * @param {import('eslint').ESLint} eslint @param {readonly string[]} typed @param {string} sample the file
 */
async function rulesFor(eslint, typed, sample) {
  /** @type {{ rules?: Record<string, [severity: number, ...options: unknown[]]> }} */
  const { rules = {} } = await eslint.calculateConfigForFile(join(ROOT, sample));
  return Object.fromEntries(
    typed.map((name) => {
      const [severity = 0, ...options] = rules[name] ?? [];
      return [
        name.replace('@typescript-eslint/', 'typescript/'),
        severity === 2 ? ['error', ...options] : 'off',
      ];
    }),
  );
}

/**
 * A comment that switches off a rule which is not asked here is not in vain: it speaks to Oxlint, or to an editor.
 * @param {import('eslint').ESLint.LintResult} result of a file @param {readonly string[]} elsewhere rules
 */
function forgetTheirs(result, elsewhere) {
  if (!result.filePath.endsWith('.ts')) return;
  result.messages = result.messages.filter(
    ({ ruleId, message }) => ruleId !== null || !elsewhere.some((rule) => message.includes(`'${rule}'`)),
  );
  result.errorCount = result.messages.filter(({ severity }) => severity === 2).length;
}

await main(async () => {
  await ensurePackages();
  const { ESLint } = await import('eslint');
  const { default: tseslint } = await import('typescript-eslint');
  const off = tseslint.configs.disableTypeChecked;
  const whole = new ESLint({ cwd: ROOT });
  const { rules: all } = await whole.calculateConfigForFile(join(ROOT, 'src/onnx/tensor.ts'));
  const typed = Object.keys(off.rules ?? {}).filter(
    (name) => name in all && all[name][0] === 2 && !NOT_YET.includes(name),
  );

  const paths = process.argv.slice(2);
  const overrides = [];
  for (const [glob, sample] of GROUPS)
    overrides.push({ files: [glob], rules: await rulesFor(whole, typed, /** @type {string} */ (sample)) });
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const config = join(ROOT, '.cache/oxlintrc.json');
  writeFileSync(
    config,
    JSON.stringify({
      plugins: ['typescript'],
      categories: { correctness: 'off' },
      ignorePatterns: ['**/*.svelte', '**/*.mjs', '**/*.js'],
      overrides,
    }),
  );
  const ox = [
    '-c',
    config,
    '--type-aware',
    '--tsconfig',
    './tsconfig.json',
    '--no-error-on-unmatched-pattern',
  ];
  const native = runTool('oxlint/bin/oxlint', [...ox, ...(paths.length > 0 ? paths : ['.'])], {
    quiet: true,
  });

  const rest = new ESLint({
    cwd: ROOT,
    warnIgnored: false,
    overrideConfig: [{ ...off, files: ['**/*.ts'] }],
  });
  const results = await rest.lintFiles(paths.length > 0 ? paths : ['.']);
  for (const result of results) forgetTheirs(result, Object.keys(off.rules ?? {}));
  const text = await (await rest.loadFormatter('stylish')).format(results);
  if (text !== '') console.error(text);
  const clean = results.every(({ errorCount, warningCount }) => errorCount + warningCount === 0);
  return (await native) === 0 && clean ? 0 : 1;
});
