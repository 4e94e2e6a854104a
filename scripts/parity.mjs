/** @file `npm run parity`: what the page trains must mean the same to the Python tools. Makes a Python environment on first use; with `--environment` only that. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureHeadless,
  ensurePackages,
  main,
  Refusal,
  ROOT,
  runProgram,
  runSource,
  say,
} from './ensure.mjs';

const WORK = join(ROOT, '.cache/parity');
const VENV = join(WORK, 'venv');
const REQUIREMENTS = join(ROOT, 'e2e/parity/requirements.txt');
const UNET = join(ROOT, 'e2e/parity/models/emoji-unet');
const MODEL = join(ROOT, 'public/models/emoji/unet/model.onnx');

const inWork = (/** @type {string} */ name) => join(WORK, name);
const script = (/** @type {string} */ name) => join(ROOT, 'e2e/parity', name);

/** A job as short as it can be and still turn every layer visibly. */
const SHORT_JOB = `
[data]
train = "builtin:riso/train"
heldout = ""

[train]
steps = 4
warmup = 0
learning_rate = 0.02

[sample]
prompts = ["ghost"]
steps = 2
`;

/** The other core has work of its own. */
const ON_ONE_CORE = ['--backend', 'wasm', '--threads', '1'];

/** The virtual environment's Python, made and filled when the requirements are new. */
async function ensurePython() {
  const inside = join(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const stamp = join(VENV, 'requirements.txt');
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return inside;
  const python = ['python3', 'python'].find(
    (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0,
  );
  if (python === undefined) throw new Refusal('the parity checks need Python 3.10 or newer; install it');
  say('Making a Python environment …');
  rmSync(VENV, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  const torch = /^torch==\S+$/m.exec(wanted)?.[0] ?? 'torch';
  // Python compiles what it loads, a small part of all that is there.
  const install = [inside, '-m', 'pip', 'install', '--quiet', '--no-compile'];
  // torch first and alone: what comes after must not pull in another build of it.
  for (const [program, ...args] of [
    [python, '-m', 'venv', VENV],
    [...install, torch],
    [...install, '-r', REQUIREMENTS],
  ]) {
    const status = await runProgram(/** @type {string} */ (program), args);
    if (status !== 0)
      throw new Refusal(
        `could not make the Python environment: ${args.slice(1).join(' ')} failed; see above`,
      );
  }
  writeFileSync(stamp, wanted);
  return inside;
}

/** The models that a check needs are made here or lie in the repository: nothing is asked of a hub. */
const OFFLINE = { TRANSFORMERS_OFFLINE: '1', HF_HUB_OFFLINE: '1' };

/** A step that must succeed before anything can be compared. @param {string} what @param {string} program @param {readonly string[]} args */
async function must(what, program, args) {
  say(`${what} …`);
  if ((await runProgram(program, args, { quiet: true, env: OFFLINE })) !== 0)
    throw new Refusal(`${what}: failed; see above`);
}

/**
 * Runs one comparison, which prints `ok …` or `FAIL …` lines.
 * @param {string} what @param {string} program @param {readonly string[]} args
 * @returns {Promise<{ passed: number, failed: number }>}
 */
async function compare(what, program, args) {
  say(`${what} …`);
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...OFFLINE },
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  say(text.trimEnd().replaceAll(/^/gm, '  '));
  const passed = text.match(/^ok /gm)?.length ?? 0;
  const failed = text.match(/^FAIL /gm)?.length ?? 0;
  if (status !== 0 && failed === 0) say(`${what}: stopped before its end`);
  // What stopped early, or compared nothing, has failed.
  return { passed, failed: status === 0 && passed > 0 ? failed : Math.max(1, failed) };
}

/** Scripts in one process, one after the other: to load torch and the tools takes longer than most of them. @param {...string[]} commands */
const together = (...commands) => [
  script('together.py'),
  ...commands.flatMap((command, i) => (i === 0 ? command : ['--', ...command])),
];

/** What the checks compute with: networks, the other tools' files for them, models whose names differ, and inputs. @param {string} python */
const make = (python) =>
  must('Making networks, and adapters with LyCORIS and PEFT', python, [
    ...together(
      ['make.py', inWork('tools')],
      ['names.py', 'make', inWork('names')],
      ['inputs.py', inWork('in.safetensors')],
    ),
  ]);

/** Language models as onnxruntime-genai's builder writes them. @param {string} python */
const build = (python) =>
  must("Building Llamas with onnxruntime-genai's builder", python, [
    script('packed.py'),
    'make',
    inWork('packed'),
  ]);

/** Trains the built-in model in the page for a few steps and computes with what it saved. @param {Promise<void>} made */
async function pageAdapter(made) {
  const node = process.execPath;
  writeFileSync(inWork('job.toml'), SHORT_JOB);
  rmSync(inWork('run'), { recursive: true, force: true });
  await must('Training 4 steps in the page', node, [
    join(ROOT, 'scripts/tune.mjs'),
    ...[inWork('job.toml'), ...ON_ONE_CORE, '--out', inWork('run')],
  ]);
  await made;
  await must('Outputs and gradients of the built-in model with that adapter', node, [
    ...[join(ROOT, 'scripts/check.mjs'), MODEL, '--adapter', inWork('run/adapter.safetensors')],
    ...['--gradients', inWork('in.safetensors'), inWork('ours.safetensors')],
  ]);
}

/** Real exporters' files that are fine-tuned. */
const REAL = ['resnet', 'bert', 'gpt2'];
/** Those that are fine-tuned a second time, paused in the middle. */
const PAUSED = process.env.ROTUNE_SWEEP === '1' ? REAL : ['resnet'];

/** Fine-tunes one of them, in one go and, of some, paused in the middle. @param {string} name */
async function realFile(name) {
  const tune = [join(ROOT, 'scripts/tune.mjs'), ...ON_ONE_CORE];
  const at = (/** @type {string} */ path) => inWork(`real/${name}/${path}`);
  const job = [at('job.toml'), '--format', 'peft,onnx'];
  await must(`Fine-tuning ${name}`, process.execPath, [...tune, ...job, '--out', at('run')]);
  if (!PAUSED.includes(name)) return;
  await must(`Fine-tuning ${name}, with a pause`, process.execPath, [
    ...[...tune, ...job, '--pause', '9', '--out', at('cut')],
  ]);
  await must(`Going on with ${name}`, process.execPath, [
    ...[...tune, '--resume', '--format', 'peft,onnx', '--out', at('cut')],
  ]);
}

/** Llamas of onnxruntime-genai's builder by how their weights are stored, and the files that are written of them. */
const PACKED = { int4: 'peft,onnx', int8: 'onnx', fp16: 'peft,onnx' };

/** Fine-tunes each of them for three steps. @param {Promise<void>} built */
async function packedFiles(built) {
  await built;
  for (const [name, formats] of Object.entries(PACKED)) {
    const at = (/** @type {string} */ path) => inWork(`packed/${name}/${path}`);
    await must(`Fine-tuning a Llama in ${name}`, process.execPath, [
      ...[join(ROOT, 'scripts/tune.mjs'), ...ON_ONE_CORE, at('job.toml')],
      ...['--format', formats, '--out', at('run')],
    ]);
  }
}

/** Rotune's half, in this process: training, opening the other tools' files, and files for models whose names differ. */
async function rotune() {
  say('Training every case, and opening what LyCORIS and PEFT wrote …');
  /** @type {typeof import('../e2e/parity/run.ts')} */
  const module = await runSource('e2e/parity/run.ts');
  await module.run(inWork('tools'), join(ROOT, 'e2e/parity/cases.json'), say);
  say('Two training steps of models from real exporters …');
  /** @type {typeof import('../e2e/parity/steps.ts')} */
  const steps = await runSource('e2e/parity/steps.ts');
  await steps.run(join(ROOT, 'e2e/golden/zoo'), inWork('steps'), say);
  say('Files for wrapped models and other names …');
  /** @type {typeof import('../e2e/parity/names.ts')} */
  const names = await runSource('e2e/parity/names.ts');
  await names.run(inWork('names'));
}

/** There are two cores on most machines that run this. @param {readonly (() => Promise<void>)[]} pieces the longest first */
async function twoAtATime(pieces) {
  const waiting = [...pieces];
  const work = async () => {
    for (let piece = waiting.shift(); piece; piece = waiting.shift()) await piece();
  };
  await Promise.all([work(), work()]);
}

await main(async () => {
  await ensurePackages();
  if (process.argv.includes('--environment')) {
    await ensurePython();
    return 0;
  }
  process.env.CHROME_PATH = await ensureHeadless();
  await ensureBuild();
  const python = await ensurePython();
  for (const name of ['tools', 'steps', 'names', 'real', 'packed'])
    rmSync(inWork(name), { recursive: true, force: true });
  await must('Making data for real files', python, [
    ...[script('real_files.py'), 'make', inWork('real'), join(ROOT, 'e2e/golden/zoo')],
  ]);
  const made = make(python);
  await twoAtATime([
    () => made.then(rotune),
    () => packedFiles(build(python)),
    ...REAL.map((name) => () => realFile(name)),
    () => pageAdapter(made),
  ]);
  const counts = await Promise.all([
    compare('Comparing with LyCORIS and PEFT, and finding layers by their names', python, [
      ...together(
        ['verify.py', inWork('tools')],
        ['names.py', 'check', inWork('names')],
        [
          'adapter_in_lycoris.py',
          ...[inWork('run/adapter.safetensors'), UNET, inWork('in.safetensors'), inWork('ours.safetensors')],
        ],
      ),
    ]),
    compare('Judging fine-tunes of real files, training steps and Llamas of few bits natively', python, [
      ...together(
        ['real_files.py', 'check', inWork('real')],
        ['steps.py', inWork('steps')],
        ['packed.py', 'check', inWork('packed')],
      ),
    ]),
  ]);
  const passed = counts.reduce((n, c) => n + c.passed, 0);
  const failed = counts.reduce((n, c) => n + c.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
