/** @file `npm test -- --changed`: what an edit can break, nearest first, in a minute or two; the rest is left to `npm test`, and said. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ensureBuild, ensureHeadless, Refusal, ROOT, runTool, say } from './ensure.mjs';
import { check, playwright, total, vitest } from './suites.mjs';

/** The most test files that are run, by project: all that stand on `src/onnx` are nearly all there are. */
const MOST = { node: 40, browser: 4 };

/** Output of git. @param {string[]} args */
const git = (...args) =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** Where the work began: where it left main, or the last commit. */
function beginning() {
  const head = git('rev-parse', 'HEAD');
  for (const branch of ['main', 'origin/main']) {
    try {
      const base = git('merge-base', 'HEAD', branch);
      if (base !== head) return base;
    } catch {
      // No branch of that name.
    }
  }
  return head;
}

/** Files that are new or other than at a commit, relative to the root. @param {string} base */
function changedFiles(base) {
  const edited = git('diff', '--name-only', '--relative', '--diff-filter=d', base);
  const added = git('ls-files', '--others', '--exclude-standard');
  return [...new Set(`${edited}\n${added}`.split('\n'))].filter((file) => file !== '');
}

/** How near a test is to a file: folders that both are in; more if it is the file's own test, most if it is that file. @param {string} test @param {string} file */
export function nearness(test, file) {
  if (test === file) return Infinity;
  const [a, b] = [test.split('/'), file.split('/')];
  const apart = a.findIndex((name, i) => name !== b[i]);
  const stem = (/** @type {string | undefined} */ name) => name?.split('.')[0];
  return (
    apart + (a.length === b.length && apart === a.length - 1 && stem(a[apart]) === stem(b[apart]) ? 0.5 : 0)
  );
}

/**
 * Test files that import, by whatever way, something that changed; by project, nearest first.
 * @param {string} base
 * @param {readonly string[]} changed
 * @returns {Promise<Record<'node' | 'browser', string[]>>}
 */
async function relatedTests(base, changed) {
  const list = join(ROOT, 'test-results/related.json');
  const args = ['list', '--filesOnly', `--json=${list}`, '--changed', base];
  if ((await runTool('vitest/vitest.mjs', args, { quiet: true })) !== 0)
    throw new Refusal('vitest could not list the tests that belong to the change: see above');
  /** @type {{ file: string, projectName: string }[]} */
  const found = JSON.parse(readFileSync(list, 'utf8'));
  const rank = (/** @type {string} */ test) => Math.max(...changed.map((file) => nearness(test, file)));
  const of = (/** @type {string} */ project) =>
    found
      .filter(({ projectName }) => projectName.startsWith(project))
      .map(({ file }) => relative(ROOT, file).split(sep).join('/'))
      .sort((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1));
  return { node: of('node'), browser: of('browser') };
}

/**
 * Runs lint and format of changed files, types, the nearest tests, and end-to-end specs that were changed themselves.
 * @param {string | null} since a commit or branch; null: where the branch left main, or the last commit
 * @returns {Promise<number>} exit status
 */
export async function testChanged(since) {
  let base;
  try {
    base = since ?? beginning();
    git('rev-parse', '--verify', `${base}^{commit}`);
  } catch {
    throw new Refusal(`git knows no commit ${since ?? 'here'}: name one, as in npm test -- --changed=main`);
  }
  const changed = changedFiles(base);
  if (changed.length === 0) {
    say(`nothing changed since ${base}`);
    return 0;
  }
  const code = changed.filter((file) => /\.(ts|js|mjs|svelte)$/.test(file));
  const specs = changed.filter((file) => /^e2e\/.*\.spec\.ts$/.test(file));
  return total(async function* () {
    // Beside the others: it is one thread that says nothing until it ends.
    const types = code.length > 0 ? check('types', () => runTool('../scripts/types.mjs', [])) : null;
    yield await check('format', () =>
      runTool('prettier/bin/prettier.cjs', [
        '--check',
        '--ignore-unknown',
        '--log-level',
        'warn',
        ...changed,
      ]),
    );
    if (code.length > 0) yield await check('lint', () => runTool('../scripts/lint.mjs', code));
    const tests = await relatedTests(base, changed);
    for (const project of /** @type {const} */ (['node', 'browser'])) {
      const [near, far] = [tests[project].slice(0, MOST[project]), tests[project].slice(MOST[project])];
      if (project === 'browser' && near.length > 0) process.env.CHROME_PATH = await ensureHeadless();
      if (near.length > 0)
        yield await vitest(`tests near the change (${project})`, project, ['run', ...near]);
      if (far.length > 0)
        say(`${far.length} more test files (${project}) stand on what changed: npm test runs them`);
    }
    if (types) yield await types;
    if (specs.length === 0) return;
    process.env.CHROME_PATH = await ensureHeadless();
    yield await check('build', () => ensureBuild().then(() => 0));
    yield await playwright('end-to-end tests that changed', specs);
  });
}
