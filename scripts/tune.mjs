/** @file `npm run tune`: a job from end to end with no window: headless Chromium, the built page, its worker. */
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { ensureBuild, ensureChromium, ensurePackages, main, Refusal, ROOT, say } from './ensure.mjs';
import { filesBelow, help, HERE, outputFolder, parseArguments, refuse } from './tune/options.mjs';
import { duration, Progress, progressLine } from './tune/progress.mjs';
import { logLine, RESULTS, writeAdapterFile, writeRun } from './tune/results.mjs';
import { evaluationLine, phaseLine, preparedLines, samplesFile, summary, textsOf } from './tune/words.mjs';

/** @import { AdapterFormat } from '#src/formats/adapterFormat.ts' */
/** @import { Problem, RunEvent, Samples } from '#workers/protocol.ts' */
/** @typedef {{ name: string, files: { path: string, url: string }[] }} Folder what the page's automation takes, by address */

/** Problems that the caller's own files caused: exit status 2. Others are ours or the machine's: 1. */
const CALLERS = [
  'bad-job',
  'bad-model',
  'bad-data',
  'nothing-to-adapt',
  'unsupported',
  'no-run',
  'model-changed',
];

/** One line for a person. @param {Problem} problem @returns {never} */
function fail(problem) {
  const parts = [problem.message, problem.safe, problem.cure].filter(
    (part) => part !== undefined && part !== '',
  );
  throw new Refusal(parts.join(' ').replaceAll(/\s*\n\s*/g, ' '), CALLERS.includes(problem.code) ? 2 : 1);
}

/**
 * Folders of the job as the page fetches them.
 * @param {Record<string, string>} folders
 * @param {string} prefix
 * @param {(path: string) => readonly string[]} filesWith what belongs to a single file
 */
function folderInputs(folders, prefix, filesWith) {
  /** @type {Record<string, Folder>} */
  const inputs = {};
  for (const [role, place] of Object.entries(folders)) {
    const paths = isFile(place) ? filesWith(place) : filesBelow(place);
    const files = paths.map((path) => ({
      path,
      url: `${prefix}${role}/${path.split('/').map(encodeURIComponent).join('/')}`,
    }));
    inputs[role] = { name: basename(place), files };
  }
  return inputs;
}

/** @param {string} path */
const isFile = (path) => statSync(path).isFile();

await main(async () => {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    console.log(help());
    return 0;
  }
  await ensurePackages();
  const { runnerImport } = await import('vite');
  /** @type {{ module: typeof import('./tune/library.ts') }} */
  const { module: library } = await runnerImport('/scripts/tune/library.ts', {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
  });
  const { openPage, firstLine, LOCAL } = await import('./tune/browser.mjs');

  /** @type {import('./tune/library.ts').JobOnDisk} */
  let given;
  try {
    /** @param {string | null} path */
    const here = (path) => (path === null ? null : resolve(HERE, path));
    given = library.readJob(here(options.job), {
      ...options,
      plan: here(options.plan),
      adapter: here(options.adapter),
    });
  } catch (cause) {
    refuse(String(cause instanceof Error ? cause.message : cause).replaceAll(/\s*\n\s*/g, ' '));
  }
  const out = outputFolder(options);
  const profile = join(out, '.profile');
  const jobFile = join(profile, 'job.json');
  if (options.resume) {
    if (!existsSync(jobFile)) refuse(`${out} holds no run to go on with`);
    if (options.job === null) given = JSON.parse(readFileSync(jobFile, 'utf8'));
  }
  const executable = await ensureChromium();
  await ensureBuild();
  if (!options.resume) {
    // What an earlier run left here must not be taken for this one's.
    for (const name of ['.profile', ...RESULTS]) rmSync(join(out, name), { recursive: true, force: true });
    mkdirSync(profile, { recursive: true });
    writeFileSync(jobFile, JSON.stringify(given));
  }

  // A run that is resumed has its plan in the checkpoint: the file that it began from need not be there any more.
  const { adapter: start, ...data } = given.folders;
  const folders = start !== undefined && existsSync(start) ? { ...data, adapter: start } : data;
  const { adapter: _, ...plainJob } = given.job;
  const job = 'adapter' in folders ? given.job : plainJob;
  const mounts = Object.fromEntries(
    Object.entries(folders).map(([role, place]) => [role, isFile(place) ? dirname(place) : place]),
  );
  let opened = await openPage({ executable, profile, folders: mounts, software: false });
  try {
    if (options.backend === 'webgpu') {
      const hasGpu = await opened.page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
      if (!hasGpu) {
        say('No GPU that Chromium can use: WebGPU runs on the CPU (SwiftShader), which is slow.');
        await opened.close();
        opened = await openPage({ executable, profile, folders: mounts, software: true });
      }
    }
    const { page } = opened;
    const progress = new Progress();
    /** @type {{ job: import('#src/formats/jobTypes.ts').Job, model?: Folder, train?: Folder, heldout?: Folder, adapter?: Folder, backend: import('./tune/options.mjs').Options['backend'] }} */
    const request = {
      job,
      ...folderInputs(folders, LOCAL, library.filesWith),
      backend: options.backend,
    };

    for (const note of given.notes ?? []) progress.note(note);
    progress.update('Looking at the job …');
    const started = performance.now();
    const prepared = await page.evaluate((options) => globalThis.rotune?.prepare(options), request);
    if (!prepared) throw new Refusal('the page has no automation');
    if (!prepared.ok) fail(prepared.problem);
    const error = prepared.value.problems.find(({ severity }) => severity === 'error');
    if (error) fail(error);
    for (const problem of prepared.value.problems) progress.note(`warning: ${problem.message}`);
    for (const line of preparedLines(prepared.value)) progress.note(line);
    /** @type {readonly AdapterFormat[]} */
    let formats;
    try {
      formats = library.formatsFor(options.formats, prepared.value.planned, given.job.task);
    } catch (cause) {
      refuse(String(cause instanceof Error ? cause.message : cause));
    }

    /** @type {Map<number, { step: number } & Samples>} */
    const samples = new Map();
    const log = createWriteStream(join(out, 'log.jsonl'), { flags: options.resume ? 'a' : 'w' });
    let total = given.job.train.steps;
    let step = 0;
    const resume = options.resume ? await page.evaluate(() => globalThis.rotune?.lastRun()) : null;
    if (resume) total = resume.job.train.steps;

    await page.exposeFunction('onTuneEvent', (/** @type {RunEvent} */ event) => {
      if (event.kind === 'steps') {
        for (const record of event.records) log.write(logLine(record));
        const last = event.records.at(-1);
        if (!last) return;
        // Records count from 0; people count the steps done.
        step = last.step + 1;
        progress.update(progressLine(step, total, last.loss, event.secondsLeft));
      } else if (event.kind === 'samples') samples.set(event.step, event);
      else if (event.kind === 'evaluation') {
        const line = evaluationLine(event.evaluation);
        if (line !== '') progress.note(line);
      } else if (event.kind === 'warning') {
        const { message, cure } = event.problem;
        progress.note(`warning: ${message}${cure ? ` ${cure}` : ''}`);
      } else if (event.kind === 'phase') {
        if (event.phase !== 'training') progress.update(phaseLine(event));
      }
    });

    let interrupted = false;
    process.once('SIGINT', () => {
      interrupted = true;
      progress.note('Saving …');
      page.evaluate(() => globalThis.rotune?.pause()).catch(() => undefined);
    });
    const outcome = await page
      .evaluate(
        ([given, goOn, pause]) =>
          globalThis.rotune?.run({ ...given, resume: goOn }, (event) => {
            const last = event.kind === 'steps' ? event.records.at(-1) : undefined;
            if (last && pause !== null && last.step + 1 >= pause) void globalThis.rotune?.pause();
            void (/** @type {any} */ (globalThis).onTuneEvent(event));
          }),
        /** @type {const} */ ([request, options.resume, options.pause]),
      )
      .catch((cause) => {
        throw new Refusal(
          `${firstLine(cause)} (at step ${step}); go on with --resume --out ${relative(HERE, out)}`,
        );
      });
    await new Promise((done) => log.end(done));
    if (!outcome) throw new Refusal('the page has no automation');
    if (!outcome.ok) fail(outcome.problem);
    const result = outcome.value;
    writeFileSync(join(out, 'log.jsonl'), result.history.map(logLine).join(''));
    if (result.outcome === 'paused') {
      progress.note(
        `Paused at step ${result.step}, saved. Go on with: npm run tune -- --resume --out ${relative(HERE, out)}`,
      );
      return interrupted ? 130 : 0;
    }

    const adapters = [];
    for (const format of formats) {
      progress.update(`Writing the adapter (${format}) …`);
      const file = await page.evaluate((kind) => globalThis.rotune?.export(kind), format);
      if (!file) throw new Refusal('the page has no automation');
      if (!file.ok) fail(file.problem);
      adapters.push(writeAdapterFile(out, format, file.value, library.unzip));
      for (const loss of file.value.losses) progress.note(`${format}: ${loss}`);
    }
    for (const [name, strength, at] of /** @type {const} */ ([
      ['before', 0, 0],
      ['after', 1, result.step],
    ])) {
      const row = samples.get(at) ?? (await drawn(page, given.job.task, strength));
      if (!row) continue;
      if (row.pictures.length > 0) writeFileSync(join(out, `${name}.png`), library.sheet(row.pictures));
      const texts = textsOf({ step: at, ...row });
      if (texts !== '') writeFileSync(join(out, `${name}.txt`), texts);
    }
    const rows = [...samples.values()].sort((a, b) => a.step - b.step);
    if (rows.some(({ texts }) => texts)) writeFileSync(join(out, 'samples.json'), samplesFile(rows));
    const last = await page.evaluate(() => globalThis.rotune?.lastRun());
    const seconds = (performance.now() - started) / 1000;
    writeRun(out, {
      chromium: opened.version,
      result,
      prepared: prepared.value,
      job: last?.job ?? null,
      seconds,
      adapters,
    });
    console.log(summary(result.evaluations));
    progress.note(
      `${result.outcome === 'stopped' ? 'Stopped' : 'Finished'} after ${duration(seconds)}: ${relative(HERE, out)}/`,
    );
    return 0;
  } finally {
    await opened.close();
  }
});

/**
 * Samples of the last run that no row holds; null: the task has no prompts to answer.
 * @param {import('playwright').Page} page @param {string} task @param {number} strength @returns {Promise<Samples | null>}
 */
async function drawn(page, task, strength) {
  if (task !== 'diffusion') return null;
  const outcome = await page.evaluate((s) => globalThis.rotune?.sample({ strength: s }), strength);
  if (!outcome?.ok) return outcome ? fail(outcome.problem) : null;
  return outcome.value;
}
