/** @file `npm run tune` from job to files: diffusion on either side, and every task's example, uncut and cut in the middle. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { depth } from '../pages/depth.ts';
import { goals, quickExamples } from '../pages/goals.ts';

interface RunFile {
  readonly steps: number;
  readonly data: { readonly heldout: number };
  readonly evaluations: readonly {
    readonly step: number;
    readonly heldoutLoss: number;
    readonly metrics: readonly { readonly name: string; readonly value: number }[];
  }[];
  readonly start: { readonly format: string; readonly loaded: number } | null;
  readonly adapters: readonly {
    readonly format: string;
    readonly layers: number;
    readonly files: readonly { readonly path: string; readonly bytes: number }[];
  }[];
  readonly orthogonality: { readonly exact: number | null; readonly series: number | null };
}

const run = promisify(execFile);
const tune = (...words: string[]) =>
  run(process.execPath, ['scripts/tune.mjs', ...words, '--backend', 'wasm', '--threads', '1']);

const JOB = `
[train]
steps = 3
batch = 1
[data]
heldout = ""
[sample]
prompts = ["ghost"]
steps = 2
every = 0
`;
/** Judged by pictures held back from the training data, since no others are given. */
const JUDGED = JOB.replace('heldout = ""', 'heldout = ""\nsplit = 0.05');

test('a job trains on the output side, saves for PEFT on the input side, and goes on from what it saved', async () => {
  const info = test.info();
  const folder = info.outputPath();
  const at = (...names: string[]): string => join(folder, ...names);
  const report = (name: string): RunFile => JSON.parse(readFileSync(at(name, 'run.json'), 'utf8')) as RunFile;
  const same = (a: string, b: string): boolean => readFileSync(a).equals(readFileSync(b));
  const job = info.outputPath('job.toml');
  const plan = info.outputPath('adapter_config.json');
  const judged = info.outputPath('judged.toml');
  writeFileSync(job, JOB);
  writeFileSync(judged, JUDGED);
  writeFileSync(
    plan,
    JSON.stringify({ peft_type: 'OFT', oft_block_size: 16, r: 0, target_modules: ['to_q', 'to_v'] }),
  );

  await tune(judged, '--out', at('output'), '--format', 'lycoris,onnx,onnx_fp16');
  const output = report('output');
  expect(output).toMatchObject({ steps: 3, start: null });
  expect(output.data.heldout).toBeGreaterThan(0);
  for (const { heldoutLoss } of [output.evaluations[0]!, output.evaluations.at(-1)!])
    expect(heldoutLoss).toBeGreaterThan(0);
  expect(output.adapters.map((a) => [a.format, a.layers, a.files.map((f) => f.path)])).toEqual([
    ['lycoris', 133, ['adapter.safetensors']],
    ['onnx', 133, ['merged.onnx']],
    ['onnx_fp16', 133, ['merged-fp16.onnx']],
  ]);
  for (const { path, bytes } of output.adapters.flatMap((a) => a.files))
    expect(readFileSync(at('output', path))).toHaveLength(bytes);
  expect(output.orthogonality.exact).toBeGreaterThan(0);
  expect(output.orthogonality.exact).toBeLessThan(1e-5);
  expect(same(at('output', 'before.png'), at('output', 'after.png'))).toBe(false);

  await tune(job, '--out', at('input'), '--plan', plan);
  const input = report('input');
  expect(input.adapters.map((a) => a.format)).toEqual(['peft']);
  expect(existsSync(at('input', 'peft', 'adapter_config.json'))).toBe(true);
  expect(input.orthogonality.exact).toBeNull();

  await tune(job, '--out', at('on'), '--plan', plan, '--adapter', at('input', 'peft'));
  const on = report('on');
  expect(on.start).toMatchObject({ format: 'peft', loaded: input.adapters[0]!.layers });
  expect(same(at('on', 'before.png'), at('input', 'after.png'))).toBe(true);
  expect(same(at('on', 'after.png'), at('on', 'before.png'))).toBe(false);
});

test('a model held in 4 bits says what that comes to, and goes on after a pause to the same bytes', async () => {
  const at = (...names: string[]): string => join(test.info().outputPath(), ...names);
  const job = at('job.toml');
  writeFileSync(job, JOB);
  const { stdout, stderr } = await tune(job, '--out', at('whole'), '--quantise', 'int4');
  expect(stdout + stderr).toMatch(
    /128 weights are held in 4 bits: 1\.71 MB instead of 10\.9 MB\. They are off by 7/,
  );
  const report = JSON.parse(readFileSync(at('whole', 'run.json'), 'utf8')) as {
    readonly job: { readonly train: object };
    readonly quantised: { readonly weights: readonly unknown[]; readonly outputs: number };
  };
  expect(report.job.train).toMatchObject({ quantise: 'int4' });
  expect(report.quantised).toMatchObject({ bits: 4, left: [] });
  expect(report.quantised.weights).toHaveLength(128);
  expect(report.quantised.outputs).toBeLessThan(0.2);

  await tune(job, '--out', at('cut'), '--quantise', 'int4', '--pause', '1');
  await tune('--resume', '--out', at('cut'));
  const adapter = (name: string): Buffer => readFileSync(at(name, 'adapter.safetensors'));
  expect(adapter('cut').equals(adapter('whole'))).toBe(true);
});

/** Held-out loss and measure at the end are what the task's example must come to. */
function expectGoal(id: string, report: RunFile): void {
  const goal = goals[id]!;
  const [first, last] = [report.evaluations[0]!, report.evaluations.at(-1)!];
  expect(last.heldoutLoss).toBeLessThan(goal.loss * first.heldoutLoss);
  if (goal.metric === null) return;
  const value = last.metrics.find(({ name }) => name === goal.metric)?.value;
  expect(goal.met(value!), `${goal.words}: it is ${value}`).toBe(true);
}

const third = (): void =>
  test('the demo, a third of it, comes nearer to prints that it never saw', async () => {
    const at = (...names: string[]): string => join(test.info().outputPath(), ...names);
    const job = at('job.toml');
    writeFileSync(job, '[train]\nsteps = 40\n[sample]\nevery = 0\nsteps = 12\nprompts = ["ghost", "wolf"]\n');
    await tune(job, '--out', at('demo'));
    expectGoal('riso', JSON.parse(readFileSync(at('demo', 'run.json'), 'utf8')) as RunFile);
  });
// That drawings of one's own are learned, draw.spec.ts shows.
if (depth(false, true)) third();

/** Loss by step: what a run must repeat whatever happens in between. */
const lossesIn = (path: string): number[][] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: number; loss: number; grad_norm: number })
    .map((line) => [line.step, line.loss, line.grad_norm]);

/** The page comes to the same goals (tasks.spec.ts). Cut by the command, a run is also held to the uncut one where parity is checked. */
const shown = quickExamples.filter(({ info }) => depth(info.id === 'language', true));

for (const { info, example, first: byTask } of shown) {
  const { id } = example;
  test(`the example ${id} comes to ${goals[id]!.words}${depth('', ', uncut and cut in the middle alike')}`, async () => {
    const at = (...names: string[]): string => join(test.info().outputPath(), ...names);
    writeFileSync(at('job.toml'), printJob(jobFromTable(example.job)));
    const given = byTask ? ['--task', info.id] : [at('job.toml')];
    const { stdout } = await tune(...given, '--out', at('whole'));
    const report = JSON.parse(readFileSync(at('whole', 'run.json'), 'utf8')) as RunFile;
    const [first, last] = [report.evaluations[0]!, report.evaluations.at(-1)!];
    expect([first.step, last.step]).toEqual([0, report.steps]);
    expectGoal(id, report);
    expect(stdout).toContain(`step ${last.step}: held-out loss ${last.heldoutLoss.toFixed(4)}`);
    for (const { name } of last.metrics) expect(stdout).toContain(`${name} `);
    expect(report.adapters.map((a) => a.format)).toContain('onnx');
    expect(readFileSync(at('whole', 'merged.onnx')).length).toBeGreaterThan(0);
    const kind = info.shows === 'pictures' ? 'png' : 'txt';
    const [before, after] = ['before', 'after'].map((name) => readFileSync(at('whole', `${name}.${kind}`)));
    expect(before!.equals(after!)).toBe(false);

    if (!depth(false, true)) return;
    const { stderr } = await tune(...given, '--out', at('cut'), '--pause', '7');
    expect(stderr).toMatch(/Paused at step \d+, saved/);
    const done = lossesIn(at('cut', 'log.jsonl')).length;
    expect(done).toBeGreaterThanOrEqual(7);
    expect(done).toBeLessThan(report.steps);
    await tune('--resume', '--out', at('cut'));
    expect(lossesIn(at('cut', 'log.jsonl'))).toEqual(lossesIn(at('whole', 'log.jsonl')));
    for (const { path } of report.adapters.flatMap((a) => a.files))
      expect(readFileSync(at('cut', path)).equals(readFileSync(at('whole', path))), path).toBe(true);
  });
}

const other = (): void =>
  test('a run goes on with other threads only where that is asked for, and says so in run.json', async () => {
    test.setTimeout(600_000);
    const at = (...names: string[]): string => join(test.info().outputPath(), ...names);
    writeFileSync(at('job.toml'), JOB);
    await tune(at('job.toml'), '--out', at('cut'), '--pause', '1');
    const done = lossesIn(at('cut', 'log.jsonl')).length;
    // The last number of threads is the one that counts.
    const on = (...words: string[]) =>
      run(process.execPath, [
        ...['scripts/tune.mjs', '--resume', '--out', at('cut'), '--backend', 'wasm', '--threads', '2'],
        ...words,
      ]);
    await expect(on()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /threads 2, before 1.*--anyway, or as before with --threads 1/,
      ) as unknown as string,
    });
    expect(lossesIn(at('cut', 'log.jsonl'))).toHaveLength(done);
    await on('--anyway');
    const { changes, means } = JSON.parse(readFileSync(at('cut', 'run.json'), 'utf8')) as {
      readonly changes: readonly string[];
      readonly means: readonly { readonly step: number; readonly threads: number }[];
    };
    expect(changes).toEqual([`from step ${done} on: threads 2, before 1`]);
    expect(means.map(({ step, threads }) => [step, threads])).toEqual([
      [0, 1],
      [done, 2],
    ]);
  });
// How a command line reads it, options.test.ts shows; what is asked and written down, means.test.ts of the worker.
if (depth(false, true)) other();
