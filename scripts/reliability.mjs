/**
 * @file `npm run reliability -- [name …]`: injects every fault as often as docs/reliability.md says, and writes that table anew; with names, those of
 * e2e/reliability/NAME.spec.ts alone, whose rows replace the table's.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium, ensurePackages, main, ROOT, runTool } from './ensure.mjs';

const ROWS = join(ROOT, 'test-results/reliability');
const TABLE = join(ROOT, 'docs/reliability.md');
const MARK = /(?<=<!-- table -->\n)[^]*?(?=\n<!-- end -->)/;
const HEAD = '| | Injected | What must come of it | Held |\n|---|---|---|---|';

/** @typedef {{ kind: string, fault: string, outcome: string, tried: number, held: number, broken: string[] }} Row */

/** @param {Row} row */
const key = ({ kind, fault }) => `| ${kind} | ${fault} |`;
/** @param {Row} row */
const line = (row) => `${key(row)} ${row.outcome} | ${row.held} of ${row.tried} |`;

/** The table with these rows in it: in place of their like, else at the end of their kind's. @param {string} table @param {readonly Row[]} rows */
export function merged(table, rows) {
  const lines = table.split('\n').filter((each) => each.startsWith('| ') && !each.startsWith('| |'));
  for (const row of rows) {
    const same = lines.findIndex((each) => each.startsWith(key(row)));
    if (same >= 0) lines[same] = line(row);
    else {
      const last = lines.findLastIndex((each) => each.startsWith(`| ${row.kind} |`));
      lines.splice(last < 0 ? lines.length : last + 1, 0, line(row));
    }
  }
  return [HEAD, ...lines].join('\n');
}

await main(async () => {
  await ensurePackages();
  process.env.CHROME_PATH = await ensureChromium();
  rmSync(ROWS, { recursive: true, force: true });
  mkdirSync(ROWS, { recursive: true });
  const names = process.argv.slice(2).map((name) => `e2e/reliability/${name}.spec.ts`);
  const status = await runTool('@playwright/test/cli.js', [
    'test',
    '--config=e2e/reliability/playwright.config.ts',
    '--reporter=list',
    '--workers=1',
    ...names,
  ]);
  /** @type {Row[]} */
  const rows = readdirSync(ROWS).map((file) => JSON.parse(readFileSync(join(ROWS, file), 'utf8')));
  for (const { kind, fault, broken } of rows)
    for (const reason of broken) console.log(`${kind}, ${fault}: ${reason}`);
  if (existsSync(TABLE)) {
    const text = readFileSync(TABLE, 'utf8');
    writeFileSync(
      TABLE,
      text.replace(MARK, (table) => merged(table, rows)),
    );
  }
  return status;
});
