/**
 * @file `node scripts/cards.mjs [DIR]`: what each built-in example comes to, for its card on the page: public/examples/ID.png and ID.json, and the demo's
 * two pictures. All of it is taken from runs of `npm run tune` in DIR/ID; those that are not there are made, which takes minutes for the diffusion ones.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensurePackages, main, Refusal, ROOT, runSource, say } from './ensure.mjs';

/** @import { Example, TaskInfo } from '#src/tasks/info.ts' */
/** @import { Job } from '#src/formats/jobs/jobTypes.ts' */

const OUT = join(ROOT, 'public/examples');

/** A run of the example in its folder, made if it is not there. @param {string} folder @param {string} job as a file */
function ensureRun(folder, job) {
  const made = join(folder, 'run.json');
  // Runs of older versions do not say whether the last layer is new: they are made again.
  if (existsSync(made) && 'whole' in JSON.parse(readFileSync(made, 'utf8'))) return;
  say(`Training ${folder} …`);
  const file = `${folder}.toml`;
  writeFileSync(file, job);
  const words = [join(ROOT, 'scripts/tune.mjs'), file, '--backend', 'wasm', '--out', folder];
  const { status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Refusal(`the run in ${folder} failed; see above`);
}

/**
 * What the samples were asked for and answered, at the start and at the end; null: they are pictures alone. What a new last layer guesses before it
 * is trained is left out: the untouched model does not know the classes.
 * @param {string} folder
 */
function saidIn(folder) {
  const file = join(folder, 'samples.json');
  if (!existsSync(file)) return null;
  /** @type {{ prompts: string[], texts: string[] }[]} */
  const rows = JSON.parse(readFileSync(file, 'utf8'));
  const { whole } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
  const [names, after] = [rows[0]?.prompts ?? [], rows.at(-1)?.texts ?? []];
  return whole?.length > 0 ? { names, after } : { names, before: rows[0]?.texts ?? [], after };
}

await main(async () => {
  await ensurePackages();
  /** @type {typeof import('./cards/strips.ts')} */
  const { stripOf, sheetOf } = await runSource('scripts/cards/strips.ts');
  /** @type {typeof import('../src/formats/jobs/job.ts')} */
  const { defaultJob, jobFromTable } = await runSource('src/formats/jobs/job.ts');
  /** @type {typeof import('../src/formats/jobs/printJob.ts')} */
  const { printJob } = await runSource('src/formats/jobs/printJob.ts');
  /** @type {typeof import('../src/tasks/infos.ts')} */
  const { taskInfos } = await runSource('src/tasks/infos.ts');
  const runs = resolve(process.argv[2] ?? join(ROOT, '.cache/cards'));
  mkdirSync(runs, { recursive: true });
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  for (const info of taskInfos)
    for (const { id, job: table } of info.examples) {
      const job = jobFromTable(table);
      const folder = join(runs, id);
      ensureRun(folder, printJob(job));
      const [before, after] = ['before', 'after'].map((name) => join(folder, `${name}.png`));
      const strip =
        before && after && existsSync(after)
          ? stripOf(info.id, readFileSync(before), readFileSync(after))
          : null;
      if (strip) writeFileSync(join(OUT, `${id}.png`), strip);
      const said = saidIn(folder) ?? { names: job.sample.prompts };
      writeFileSync(join(OUT, `${id}.json`), `${JSON.stringify(said)}\n`);
      if (before && after && job.data.train === defaultJob.data.train) {
        copyFileSync(join(OUT, `${id}.png`), join(ROOT, 'public/demo-strip.png'));
        writeFileSync(
          join(ROOT, 'public/demo-before-after.png'),
          sheetOf(readFileSync(before), readFileSync(after)),
        );
      }
      say(`${id}: done.`);
    }
  return 0;
});
