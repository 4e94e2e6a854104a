/** @file `npm run parity`: what the page trains must mean the same to the Python tools. Makes a Python environment on first use. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureChromium,
  ensurePackages,
  main,
  Refusal,
  ROOT,
  runProgram,
  say,
} from './ensure.mjs';

const WORK = join(ROOT, '.cache/parity');
const VENV = join(WORK, 'venv');
const REQUIREMENTS = join(ROOT, 'e2e/parity/requirements.txt');
const UNET = join(ROOT, 'e2e/parity/models/emoji-unet');
const MODEL = join(ROOT, 'public/models/emoji/unet/model.onnx');

/** A job as short as it can be and still turn every layer visibly. */
const SHORT_JOB = `
[train]
steps = 4
warmup = 0
learning_rate = 0.02

[sample]
prompts = ["ghost"]
steps = 2
`;

/** The virtual environment's Python, made and filled when the requirements are new. */
async function ensurePython() {
  const inside = join(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const stamp = join(VENV, 'requirements.txt');
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return inside;
  const python = ['python3', 'python'].find(
    (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0,
  );
  if (python === undefined) throw new Refusal('the parity checks need Python 3.10 or newer');
  say('Making a Python environment …');
  rmSync(VENV, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  const torch = /^torch==\S+$/m.exec(wanted)?.[0] ?? 'torch';
  // torch first and alone: what comes after must not pull in another build of it.
  for (const [program, ...args] of [
    [python, '-m', 'venv', VENV],
    [inside, '-m', 'pip', 'install', '--quiet', torch],
    [inside, '-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS],
  ]) {
    const status = await runProgram(/** @type {string} */ (program), args);
    if (status !== 0)
      throw new Refusal(`could not make the Python environment: ${args.slice(1).join(' ')} failed`);
  }
  writeFileSync(stamp, wanted);
  return inside;
}

/**
 * Runs one check that prints `ok …` or `FAIL …` lines.
 * @param {string} name @param {string} program @param {readonly string[]} args
 * @returns {{ passed: number, failed: number }}
 */
function count(name, program, args) {
  const { status, stdout } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TRANSFORMERS_OFFLINE: '1', HF_HUB_OFFLINE: '1' },
  });
  for (const line of stdout.split('\n')) if (line !== '') say(`  ${name}: ${line}`);
  const passed = stdout.match(/^ok /gm)?.length ?? 0;
  const failed = stdout.match(/^FAIL /gm)?.length ?? 0;
  return { passed, failed: status === 0 && passed > 0 ? failed : Math.max(1, failed) };
}

/** A step that must succeed before anything can be compared. @param {string} what @param {string} program @param {readonly string[]} args @param {boolean} [quiet] */
async function must(what, program, args, quiet = false) {
  say(`${what} …`);
  if ((await runProgram(program, args, { quiet })) !== 0) throw new Refusal(`${what}: failed`);
}

await main(async () => {
  await ensurePackages();
  await ensureChromium();
  await ensureBuild();
  const python = await ensurePython();
  const node = process.execPath;
  const path = (/** @type {string} */ name) => join(WORK, name);
  const script = (/** @type {string} */ name) => join(ROOT, 'e2e/parity', name);

  writeFileSync(path('job.toml'), SHORT_JOB);
  rmSync(path('run'), { recursive: true, force: true });
  const tune = [join(ROOT, 'scripts/tune.mjs'), path('job.toml'), '--backend', 'wasm', '--out', path('run')];
  await must('Training 4 steps in the page', node, tune);
  await must('Writing inputs', python, [script('inputs.py'), path('in.safetensors')]);

  const adapters = [
    ['trained in the page', path('run/adapter.safetensors')],
    ['dim 4', join(ROOT, 'e2e/golden/emoji/lycoris_dim4.safetensors')],
    [
      'dim 8, constraint, rescaled',
      join(ROOT, 'e2e/golden/emoji/lycoris_dim8_constraint_rescaled.safetensors'),
    ],
  ];
  const totals = { passed: 0, failed: 0 };
  for (const [name, adapter] of /** @type {[string, string][]} */ (adapters)) {
    const check = [
      'scripts/check.mjs',
      MODEL,
      '--bind',
      'batch=2',
      '--adapter',
      adapter,
      '--gradients',
      path('in.safetensors'),
    ];
    const outputs = [...check, path('ours.safetensors')];
    await must(`Outputs and gradients with the adapter (${name})`, node, outputs, true);
    const args = [
      script('adapter_in_lycoris.py'),
      adapter,
      UNET,
      path('in.safetensors'),
      path('ours.safetensors'),
    ];
    const { passed, failed } = count(name, python, args);
    totals.passed += passed;
    totals.failed += failed;
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  return totals.failed === 0 ? 0 : 1;
});
