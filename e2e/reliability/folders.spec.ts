/** @file `npm run tune` in folders full of other people's files: none of them changes. */
import fc from 'fast-check';
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../pages/test.ts';
import { play, seen, type Tune } from '../../scripts/testing/folderCase.ts';
import { type FolderCase, folderCase } from '../../scripts/testing/folderTrees.ts';
import { JOB } from './longRun.ts';
import { Tally } from './tally.ts';
import { loggedAfter, tune } from './tuneCommand.ts';

const CASES = 200;
const SHORT = JOB.replace(/steps = \d+/, 'steps = 3');

test('random folders, all but the training', async () => {
  const tally = new Tally({
    kind: 'Folders',
    fault:
      '`--out`, `--adapter` and `--resume` in random folders: hidden, read-only, nested and linked files, names that results have',
    outcome: 'No file of other people’s changes, comes or goes',
  });
  mkdirSync(test.info().outputPath('case'), { recursive: true });
  const root = realpathSync(test.info().outputPath('case'));
  process.env.INIT_CWD = join(root, 'here');
  const parts: Tune = {
    ...(await import('../../scripts/tune/begin.mjs')),
    ...(await import('../../scripts/tune/options.mjs')),
    library: {
      ...(await import('../../scripts/tune/library.ts')),
      ...(await import('../../scripts/tune/inputs.ts')),
    },
    results: (await import('../../scripts/tune/places.mjs')).RESULTS,
  };
  const seed = Date.now() % 2 ** 31;
  let began = 0;
  for (const [i, each] of fc.sample<FolderCase>(folderCase, { numRuns: CASES, seed }).entries())
    await tally.try(`seed ${seed}, ${i}`, async () => {
      began += await play(root, parts, each);
    });
  expect(began).toBeGreaterThan(CASES / 4);
  expect(tally.broken).toEqual([]);
});

/** Files that people have in a folder, some under the names of results. */
function litter(folder: string, ...names: string[]): void {
  for (const name of ['notes.txt', '.profile', 'sub/deep/.hidden', ...names]) {
    const whole = join(folder, name);
    mkdirSync(join(whole, '..'), { recursive: true });
    writeFileSync(whole, `theirs: ${name}`, { mode: 0o444 });
  }
}

test('whole runs', async () => {
  const tally = new Tally({
    kind: 'Folders',
    fault: 'Whole runs beside such files: begun, killed, gone on with and repeated',
    outcome: 'No file of other people’s changes, comes or goes',
  });
  const root = test.info().outputPath('whole');
  const here = join(root, 'here');
  litter(here);
  litter(join(root, 'outside'));
  symlinkSync('../outside', join(here, 'link'));
  for (const [name, job] of [
    ['short.toml', SHORT],
    ['long.toml', JOB],
  ] as const)
    writeFileSync(join(root, name), job);
  /** What is there stays; what comes lies in those folders. */
  const theirs = async (name: string, rooms: readonly string[], work: () => Promise<void>): Promise<void> => {
    const before = seen(root);
    await tally.try(name, async () => {
      await work();
      const now = seen(root);
      for (const [at, what] of before) expect([at, now.get(at)]).toEqual([at, what]);
      const foreign = [...now.keys()].filter(
        (at) => !before.has(at) && !rooms.some((room) => at === room || at.startsWith(`${room}/`)),
      );
      expect(foreign).toEqual([]);
    });
  };
  const command = async (status: number, ...words: string[]): Promise<void> => {
    const ended = await tune(words, here).ended;
    expect(ended.status, ended.said).toBe(status);
  };
  const adapter = join(here, 'made/adapter.safetensors');

  await theirs('--out . among other files', [], () => command(2, '../short.toml', '--out', '.'));
  await theirs('--out a link to a full folder', [], () => command(2, '../short.toml', '--out', 'link'));
  await theirs('--out a new folder below', ['here/made'], () => command(0, '../short.toml', '--out', 'made'));
  await theirs('--adapter in the folder for the results', [], () =>
    command(2, '../short.toml', '--out', 'made', '--adapter', adapter),
  );
  await theirs('from that adapter, into a linked new folder', ['outside/new'], () =>
    command(0, '../short.toml', '--out', 'link/new', '--adapter', adapter),
  );
  litter(join(here, 'made'), 'before.txt.old');
  await tally.try('a second run in a folder with files of theirs', async () => {
    await command(0, '../short.toml', '--out', 'made');
    for (const name of ['notes.txt', '.profile', 'sub/deep/.hidden', 'before.txt.old'])
      expect(readFileSync(join(here, 'made', name), 'utf8')).toBe(`theirs: ${name}`);
  });
  await theirs('killed, then strangers under names of results, then --resume', ['here/cut'], async () => {
    const out = join(here, 'cut');
    const running = tune(['../long.toml', '--out', out], here);
    await loggedAfter(running, out, 0);
    running.process.kill('SIGKILL');
    await running.ended;
    for (const name of ['run.json', 'adapter.safetensors']) writeFileSync(join(out, name), 'theirs');
    await command(0, '--resume', '--out', 'cut');
    for (const name of ['run.json', 'adapter.safetensors'])
      expect(readFileSync(join(out, name), 'utf8')).toBe('theirs');
  });
  await theirs('an adapter that is not one', [], () =>
    command(2, '../short.toml', '--out', 'none/at/all', '--adapter', 'notes.txt'),
  );
  expect(tally.broken).toEqual([]);
});
