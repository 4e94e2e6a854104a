/** @file `npm run tune`: a job from end to end with no window: headless Chromium, the built page, its worker. */
import { existsSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { ensureBuild, ensureChromium, ensurePackages, main, Refusal, runSource, say } from './ensure.mjs';
import { beginRun, ROLES } from './tune/begin.mjs';
import { help, parseArguments } from './tune/options.mjs';
import { duration, Progress, progressLine } from './tune/progress.mjs';
import { HERE, oneLine, refuse } from './tune/refuse.mjs';
import { saidWhere, withoutPage, writeReport } from './tune/report.mjs';
import { logLine, writeAdapterFile, writeRun } from './tune/results.mjs';
import {
  evaluationLine,
  inFiles,
  inWords,
  phaseLine,
  preparedLines,
  samplesFile,
  summary,
  textsOf,
} from './tune/words.mjs';

/** @import { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts' */
/** @import { Problem, Remark, RunEvent, Samples } from '#workers/protocol.ts' */
/** @import { Page } from 'playwright' */
/** @import { JobOnDisk } from './tune/library.ts' */
/** @import { Options } from './tune/options.mjs' */
/** @import { RunFolder } from './tune/output.mjs' */
/** @typedef {typeof import('./tune/library.ts')} Library */

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

/** @param {Problem} problem @param {string} [where] the report is @returns {never} */
function fail(problem, where = '') {
  throw new Refusal(`${inWords(problem)}${where}`, CALLERS.includes(problem.code) ? 2 : 1);
}

/** dist/ is of another version. */
const NO_AUTOMATION = 'the page in dist/ is of another version of Rotune; remove dist/, and start again';

await main(async () => {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    console.log(help());
    return 0;
  }
  await ensurePackages();
  /** @type {Library} */
  const library = await runSource('scripts/tune/library.ts');

  const { folder, given } = beginRun(options, library);
  try {
    return await tune(folder, given, options, library);
  } finally {
    if (!options.resume && folder.state === 'preparing') folder.abandon();
  }
});

/**
 * From the page's opening to the results.
 * @param {RunFolder} folder @param {JobOnDisk} given @param {Options} options @param {Library} library
 * @returns {Promise<number>} exit status
 */
async function tune(folder, given, options, library) {
  const { addressed, openPage, firstLine } = await import('./tune/browser.mjs');
  const executable = await ensureChromium();
  await ensureBuild();
  const progress = new Progress();
  if (folder.movedTo !== null)
    progress.note(`The earlier run's files were moved to ${relative(HERE, folder.movedTo)}.`);

  // A run that is resumed has its plan in the checkpoint: the file that it began from need not be there any more.
  const { adapter: start, ...data } = given.folders;
  const places = start !== undefined && existsSync(start) ? { ...data, adapter: start } : data;
  const { adapter: _, ...plainJob } = given.job;
  const job = 'adapter' in places ? given.job : plainJob;
  const { files, inputs } = addressed(await inputsAt(places, library, progress));

  const at = { executable, profile: folder.profile, files, threads: options.threads };
  let opened = await openPage({ ...at, software: false });
  try {
    if (options.backend === 'webgpu') {
      const hasGpu = await opened.page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
      if (!hasGpu) {
        say('No GPU that Chromium can use: WebGPU runs on the CPU (SwiftShader), which is slow.');
        await opened.close();
        opened = await openPage({ ...at, software: true });
      }
    }
    const { page } = opened;
    /** The page's own report of a problem that is not the caller's. @param {Problem} problem */
    const report = async (problem) => {
      if (CALLERS.includes(problem.code) && folder.state === 'preparing') return '';
      const text = await page.evaluate((p) => globalThis.rotune?.report(p), problem).catch(() => undefined);
      return saidWhere(writeReport(folder, text ?? inWords(problem), opened.version));
    };
    const request = { job, ...inputs, backend: options.backend };

    for (const note of given.notes ?? []) progress.note(note);
    progress.update('Looking at the job …');
    const started = performance.now();
    const prepared = await page.evaluate((options) => globalThis.rotune?.prepare(options), request);
    if (!prepared) throw new Refusal(NO_AUTOMATION);
    if (!prepared.ok) fail(prepared.problem, await report(prepared.problem));
    const error = prepared.value.problems.find(({ severity }) => severity === 'error');
    /** With how files say it, where the page has controls. @param {Remark} remark */
    const withFiles = (remark) => {
      const cure = [remark.cure, inFiles(given.job.task, remark)].filter(Boolean).join(' ');
      return { ...remark, ...(cure !== '' && { cure }) };
    };
    if (error) fail(withFiles(error), await report(error));
    for (const remark of prepared.value.problems) progress.note(`warning: ${inWords(withFiles(remark))}`);
    for (const line of preparedLines(prepared.value)) progress.note(line);
    const { rounded } = prepared.value;
    if (rounded)
      for (const line of [library.roundedWords(rounded), library.leftWords(rounded), library.FROM_FLOAT])
        if (line !== '') progress.note(line);
    const { planned, unsaveable } = prepared.value;
    let formats;
    try {
      const chosen = library.formatsFor(options.formats, planned, given.job.task, unsaveable);
      for (const note of chosen.notes) progress.note(note);
      formats = chosen.formats;
    } catch (cause) {
      refuse(oneLine(cause));
    }

    /** @type {Map<number, { step: number } & Samples>} */
    const samples = new Map();
    // A run that was cut before its first checkpoint begins anew.
    const resume = options.resume ? await page.evaluate(() => globalThis.rotune?.lastRun()) : null;
    if (resume && !options.anyway) {
      const asked = { ...request, resume: true };
      const found = await page.evaluate((options) => globalThis.rotune?.differences(options), asked);
      if (!found) throw new Refusal(NO_AUTOMATION);
      if (!found.ok) fail(found.problem);
      sameAsBefore(found.value, library);
    }
    folder.training();
    const log = folder.stream('log.jsonl', { append: options.resume });
    const total = resume?.job.train.steps ?? given.job.train.steps;
    let step = 0;
    /** Events come by another way than the outcome, and may come after it: by then the log is closed, and is made of the run's whole history. */
    let ended = false;

    await page.exposeFunction('onTuneEvent', (/** @type {RunEvent} */ event) => {
      if (ended) return;
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

    const goOn = `--resume --out ${relative(HERE, folder.path)}`;
    let interrupted = false;
    process.once('SIGINT', () => {
      interrupted = true;
      progress.note('Saving …');
      page.evaluate(() => globalThis.rotune?.pause()).catch(() => undefined);
    });
    const outcome = await page
      .evaluate(
        async ([given, goOn, pause]) => {
          /** @type {Promise<unknown>} */
          let told = Promise.resolve();
          const outcome = await globalThis.rotune?.run({ ...given, resume: goOn }, (event) => {
            const last = event.kind === 'steps' ? event.records.at(-1) : undefined;
            if (last && pause !== null && last.step + 1 >= pause) void globalThis.rotune?.pause();
            told = Promise.all([told, /** @type {any} */ (globalThis).onTuneEvent(event)]);
          });
          await told;
          return outcome;
        },
        /** @type {const} */ ([request, Boolean(resume), options.pause]),
      )
      .catch((cause) => {
        const text = withoutPage({
          cause,
          state: `step ${step} of ${total}`,
          backend: prepared.value.backend,
          job: library.publicJobText(given.job),
        });
        const where = saidWhere(writeReport(folder, text, opened.version));
        throw new Refusal(`${firstLine(cause)} (at step ${step}); go on with ${goOn}.${where}`);
      });
    ended = true;
    await new Promise((done) => log.end(done));
    if (!outcome) throw new Refusal(NO_AUTOMATION);
    if (!outcome.ok) {
      const kept = await page.evaluate(() => globalThis.rotune?.lastRun()).catch(() => undefined);
      if (kept === null && !options.resume) folder.cameToNothing();
      fail(outcome.problem, await report(outcome.problem));
    }
    const result = outcome.value;
    folder.write('log.jsonl', result.history.map(logLine).join(''));
    if (result.outcome === 'paused') {
      folder.settle('training');
      progress.note(`Paused at step ${result.step}, saved. Go on with: npm run tune -- ${goOn}`);
      return interrupted ? 130 : 0;
    }

    const saved = await saveFormats(page, formats, folder, library, progress);
    const unshown = await saveSamples(page, given.job.task, samples, result.step, folder, library);
    const last = await page.evaluate(() => globalThis.rotune?.lastRun()).catch(() => null);
    const seconds = (performance.now() - started) / 1000;
    writeRun(folder, {
      chromium: opened.version,
      result,
      changes: library.changesOf(result.means),
      prepared: prepared.value,
      job: last?.job ?? null,
      seconds,
      ...saved,
    });
    folder.settle('finished');
    console.log(summary(result.evaluations));
    progress.note(
      `${result.outcome === 'stopped' ? 'Stopped' : 'Finished'} after ${duration(seconds)}: ${relative(HERE, folder.path)}/`,
    );
    const failures = [
      ...saved.failed.map(({ format, reason }) => `${format} could not be saved: ${reason}`),
      ...unshown,
    ];
    if (failures.length > 0)
      throw new Refusal(
        `${failures.join(' ')} All else of the run is in ${relative(HERE, folder.path)}/; read there what could be saved.`,
      );
    return 0;
  } finally {
    await opened.close();
  }
}

/**
 * Refuses to go on where something else computes the run than so far: nobody is there to be asked.
 * @param {readonly import('#workers/protocol.ts').Difference[]} found @param {Library} library
 */
function sameAsBefore(found, library) {
  if (found.length === 0) return;
  const words = found.map(library.differenceWords).join('; ');
  const threads = found.find(({ what }) => what === 'threads');
  const back = threads ? `, or as before with --threads ${threads.was}` : '';
  refuse(
    `the run would go on otherwise than it was computed so far (${words}): its last digits would differ from an uncut run's; go on with --resume --anyway${back}`,
  );
}

/**
 * The exact files of the places that a job names.
 * @param {Readonly<Record<string, string>>} places @param {Library} library @param {Progress} progress
 */
async function inputsAt(places, library, progress) {
  /** @type {Record<string, { name: string, files: readonly import('./tune/inputs.ts').InputFile[] }>} */
  const folders = {};
  for (const [role, place] of Object.entries(places)) {
    if (!existsSync(place))
      refuse(`the ${ROLES[role] ?? role} is not there any more: ${place}; put it back, or name another`);
    const { files, notes } = await library.inputsOf(place);
    for (const note of notes) progress.note(`warning: ${note}`);
    folders[role] = { name: basename(place), files };
  }
  return folders;
}

/**
 * The adapter in every format; one that fails does not keep the others from being saved.
 * @param {Page} page @param {readonly AdapterFormat[]} formats @param {RunFolder} folder @param {Library} library @param {Progress} progress
 */
async function saveFormats(page, formats, folder, library, progress) {
  const { firstLine } = await import('./tune/browser.mjs');
  const adapters = [];
  /** @type {{ format: AdapterFormat, reason: string }[]} */
  const failed = [];
  for (const format of formats) {
    progress.update(`Writing the adapter (${format}) …`);
    try {
      const file = await page.evaluate((kind) => globalThis.rotune?.export(kind), format);
      if (!file) throw new Refusal(NO_AUTOMATION);
      if (!file.ok) throw new Refusal(inWords(file.problem));
      adapters.push(await writeAdapterFile(folder, format, file.value, library.unzip));
      for (const loss of file.value.losses) progress.note(`${format}: ${loss}`);
    } catch (cause) {
      failed.push({ format, reason: firstLine(cause) });
    }
  }
  return { adapters, failed };
}

/**
 * Samples before and after: those that were made on the way, else drawn now.
 * @param {Page} page @param {string} task @param {ReadonlyMap<number, { step: number } & Samples>} samples by step
 * @param {number} lastStep @param {RunFolder} folder @param {Library} library
 * @returns {Promise<string[]>} what could not be shown, in sentences
 */
async function saveSamples(page, task, samples, lastStep, folder, library) {
  const failures = [];
  for (const [name, strength, at] of /** @type {const} */ ([
    ['before', 0, 0],
    ['after', 1, lastStep],
  ])) {
    try {
      const row = samples.get(at) ?? (await drawn(page, task, strength));
      if (!row) continue;
      if (row.pictures.length > 0) folder.write(`${name}.png`, library.sheet(row.pictures));
      const texts = textsOf({ step: at, ...row });
      if (texts !== '') folder.write(`${name}.txt`, texts);
    } catch (cause) {
      failures.push(`The samples ${name} training could not be made: ${oneLine(cause)}`);
    }
  }
  const rows = [...samples.values()].sort((a, b) => a.step - b.step);
  if (rows.some(({ texts }) => texts)) folder.write('samples.json', samplesFile(rows));
  return failures;
}

/**
 * Samples of the last run that no row holds; null: the task has no prompts to answer.
 * @param {Page} page @param {string} task @param {number} strength @returns {Promise<Samples | null>}
 */
async function drawn(page, task, strength) {
  if (task !== 'diffusion') return null;
  const outcome = await page.evaluate((s) => globalThis.rotune?.sample({ strength: s }), strength);
  if (!outcome?.ok) return outcome ? fail(outcome.problem) : null;
  return outcome.value;
}
