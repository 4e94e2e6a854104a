/** @file The command line of `npm run tune`: its options, and where the results go. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ROOT } from '../ensure.mjs';
import { readMarker } from './output.mjs';
import { FORMATS } from './places.mjs';
import { HERE, refuse } from './refuse.mjs';

export const USAGE = `npm run tune -- [JOB.toml | --task ID] [--out DIR] [--backend auto|webgpu|wasm] [--threads N] [--steps N] [--plan PLAN | --preset NAME] [--root NAME] [--adapter FILE|DIR] [--set INPUT=VALUE] [--quantise int8|int4] [--format ${FORMATS.join(',')}] [--pause N] [--resume [--anyway]]`;

/** Folders of src/tasks with an info.ts, which is what makes a task. */
const taskNames = () =>
  readdirSync(join(ROOT, 'src/tasks'))
    .filter((name) => existsSync(join(ROOT, 'src/tasks', name, 'info.ts')))
    .join(', ');

/** What --help says. */
export const help = () => `usage: ${USAGE}

  JOB.toml          what to do; every key is optional (docs/job.schema.json). Without it: the built-in demo
  --task ID         the built-in example of a task: ${taskNames()}
  --out DIR         where results go: a new or empty folder, or an earlier run's; else a new folder under runs/
  --backend KIND    auto takes WebGPU where there is one
  --threads N       of the CPU; 1 leaves the other cores to other work. Without it: as many as help
  --steps N         in place of train.steps
  --plan PLAN       a plan of Rotune, a LyCORIS preset, kohya's network_args or PEFT's adapter_config.json, in place of the job's
  --preset NAME     a built-in plan
  --root NAME       what the export put before the names of the Python model's modules, such as unet; '' for nothing (plan.root)
  --adapter PATH    a file or folder to start from
  --set NAME=VALUE  value of an input of the model that is neither data nor a size (sr=16000); may be repeated
  --quantise KIND   int8 or int4: hold the weights of a float model in fewer bits while it is trained on; no: as they are
                    (train.quantise). What is saved is made of the weights as they are
  --format LIST     what the adapter is saved as, with commas between
  --pause N         stops after about N steps, saved
  --resume          goes on with the run in DIR, or the newest under runs/
  --anyway          with --resume: also where another device, number of threads or version computes it than so far. Its last
                    digits then differ from an uncut run's, and run.json lists the changes; without it, such a run is left as it is

Ctrl+C saves, too. Exit status 2: something given cannot be used; a line says what.`;

/** @import { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts' */
/**
 * @typedef {object} Options
 * @property {string | null} job
 * @property {string | null} task whose built-in example runs
 * @property {string | null} out
 * @property {'auto' | 'webgpu' | 'wasm'} backend
 * @property {number | null} threads
 * @property {number | null} steps
 * @property {string | null} plan a file that stands in for the job's plan
 * @property {string | null} preset a built-in one
 * @property {string | null} root in place of plan.root; '' for nothing
 * @property {string | null} adapter file or folder that the run starts from
 * @property {readonly string[]} set values of inputs, NAME=VALUE each
 * @property {'no' | 'int8' | 'int4' | null} quantise in place of train.quantise
 * @property {readonly AdapterFormat[] | null} formats what the adapter is saved as; null: LyCORIS's, or else what can hold it, and for all tasks but diffusion the merged model
 * @property {number | null} pause after about so many steps: saved, to be gone on with by --resume
 * @property {boolean} resume
 * @property {boolean} anyway goes on though something else computes it than so far
 * @property {boolean} help
 */

/** @param {readonly string[]} argv @returns {Options} */
export function parseArguments(argv) {
  /** @type {Options} */
  const options = {
    job: null,
    task: null,
    out: null,
    backend: 'auto',
    threads: null,
    steps: null,
    plan: null,
    preset: null,
    root: null,
    adapter: null,
    set: [],
    quantise: null,
    formats: null,
    pause: null,
    resume: false,
    anyway: false,
    help: false,
  };
  const rest = argv.flatMap((word) => {
    const match = /^(--[a-z]+)=(.*)$/.exec(word);
    return match ? [String(match[1]), String(match[2])] : [word];
  });
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const value = () => rest.shift() ?? refuse(`${word} needs a value; usage: ${USAGE}`);
    if (word === '--help' || word === '-h') options.help = true;
    else if (word === '--resume') options.resume = true;
    else if (word === '--anyway') options.anyway = true;
    else if (word === '--out') options.out = value();
    else if (word === '--task') options.task = value();
    else if (word === '--backend') {
      const backend = value();
      if (backend !== 'auto' && backend !== 'webgpu' && backend !== 'wasm') {
        refuse(`--backend is auto, webgpu or wasm, not ${JSON.stringify(backend)}`);
      }
      options.backend = backend;
    } else if (word === '--threads') {
      const threads = value();
      if (!/^[1-9]\d?$/.test(threads))
        refuse(`${word} is a whole number from 1 to 99, not ${JSON.stringify(threads)}`);
      options.threads = Number(threads);
    } else if (word === '--steps' || word === '--pause') {
      const steps = value();
      if (!/^[1-9]\d{0,6}$/.test(steps))
        refuse(`${word} is a whole number from 1 on, not ${JSON.stringify(steps)}`);
      options[word === '--steps' ? 'steps' : 'pause'] = Number(steps);
    } else if (word === '--quantise') {
      const kind = value();
      if (kind !== 'int8' && kind !== 'int4' && kind !== 'no')
        refuse(`--quantise takes int8, int4 or no, not ${JSON.stringify(kind)}: choose one of them`);
      options.quantise = kind;
    } else if (word === '--plan') options.plan = value();
    else if (word === '--preset') options.preset = value();
    else if (word === '--root') options.root = value();
    else if (word === '--adapter') options.adapter = value();
    else if (word === '--set') options.set = [...options.set, value()];
    else if (word === '--format') options.formats = formatsOf(value());
    else if (word.startsWith('-')) refuse(`there is no option ${word}; usage: ${USAGE}`);
    else if (options.job !== null) refuse(`one job at a time: ${options.job} or ${word}; usage: ${USAGE}`);
    else options.job = word;
  }
  if (options.job !== null && options.task !== null)
    refuse('a job or --task, not both: a job file names its task itself (task = "…"); leave one of them out');
  if (options.anyway && !options.resume)
    refuse('--anyway says how a run goes on: give --resume, too, or leave it out');
  if (options.plan !== null && options.preset !== null)
    refuse('--plan or --preset, not both: give one of them');
  for (const name of /** @type {const} */ (['plan', 'preset', 'root', 'adapter', 'quantise'])) {
    if (options.resume && options[name] !== null)
      refuse(`--${name} cannot change a run that is resumed: start a new one`);
  }
  if (options.resume && options.set.length > 0)
    refuse('--set cannot change a run that is resumed: start a new one');
  if (options.resume && options.steps !== null) {
    refuse(
      '--steps cannot change a run that is resumed: its learning-rate schedule depends on it; leave it out',
    );
  }
  return options;
}

/** @param {string} list @returns {AdapterFormat[]} */
function formatsOf(list) {
  const words = [...new Set(list.split(',').map((word) => word.trim()))];
  return words.map(
    (word) =>
      FORMATS.find((format) => format === word) ??
      refuse(`--format takes ${FORMATS.join(', ')}, with commas between; not ${JSON.stringify(word)}`),
  );
}

/**
 * Where the results go: `--out`, else a new folder under runs/ named after the job; with `--resume` the newest of those.
 * @param {Options} options
 */
export function outputFolder({ out, job, task, resume }) {
  if (out !== null) return resolve(HERE, out);
  const name = job === null ? (task ?? 'demo') : basename(job).replace(/\.toml$/i, '');
  const runs = join(HERE, 'runs');
  if (!resume) {
    let folder = join(runs, name);
    for (let n = 2; existsSync(folder); n++) folder = join(runs, `${name}-${n}`);
    return folder;
  }
  const candidates = statSync(runs, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(runs)
        .filter(
          (entry) =>
            entry === name || (entry.startsWith(`${name}-`) && /^\d+$/.test(entry.slice(name.length + 1))),
        )
        .map((entry) => join(runs, entry))
        .filter((folder) => readMarker(folder) !== null)
        .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    : [];
  return (
    candidates[0] ??
    refuse(`there is no run of ${name} under runs/ to go on with; name its folder with --out`)
  );
}
