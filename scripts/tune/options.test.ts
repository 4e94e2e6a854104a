/** @file The command line of `npm run tune` refuses what it cannot do, by name; jobs on disk become folders the page can fetch. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { presetPlan } from '#src/formats/plans/presets.ts';
import { defaultSettings, peftSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { parseJob } from '#src/formats/jobs/job.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { formatsFor, readJob } from './library.ts';
import { help, parseArguments, USAGE } from './options.mjs';
import { duration, progressLine } from './progress.mjs';
import { evaluationLine, summary, textsOf } from './words.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotune-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('the command line', () => {
  it('reads every option, with a space or an equals sign', () => {
    expect(parseArguments(['job.toml', '--out', 'x', '--backend=wasm', '--steps', '7', '--pause=3'])).toEqual(
      {
        job: 'job.toml',
        task: null,
        out: 'x',
        backend: 'wasm',
        threads: null,
        steps: 7,
        pause: 3,
        plan: null,
        preset: null,
        root: null,
        adapter: null,
        set: [],
        quantise: null,
        formats: null,
        resume: false,
        anyway: false,
        help: false,
      },
    );
    expect(
      parseArguments(['--plan=p.toml', '--adapter', 'a.safetensors', '--format', 'lycoris, peft,lycoris']),
    ).toMatchObject({ plan: 'p.toml', adapter: 'a.safetensors', formats: ['lycoris', 'peft'] });
    expect(parseArguments(['--threads', '2']).threads).toBe(2);
    expect(parseArguments(['--preset', 'attn-mlp']).preset).toBe('attn-mlp');
  });

  it.each([
    [['--ste', '4'], /no option --ste/],
    [['--steps', '0'], /--steps .*"0"/],
    [['--threads', '0'], /--threads .*"0"/],
    [['--pause', 'x'], /--pause .*"x"/],
    [['--steps'], /--steps needs a value/],
    [['--backend', 'cuda'], /auto, webgpu or wasm, not "cuda"/],
    [['a.toml', 'b.toml'], /one job at a time/],
    [['a.toml', '--task', 'pairs'], /a job or --task, not both/],
    [['--resume', '--steps', '9'], /cannot change a run that is resumed/],
    [['--resume', '--quantise', 'int4'], /--quantise cannot change a run that is resumed/],
    [['--quantise', 'int2'], /--quantise takes int8, int4 or no, not "int2"/],
    [['--quantise'], /--quantise needs a value/],
    [['--resume', '--adapter', 'x'], /--adapter cannot change a run that is resumed/],
    [['--anyway'], /give --resume, too/],
    [['--plan', 'x', '--preset', 'full'], /--plan or --preset, not both/],
    [['--format', 'lycoris,gguf'], /--format takes lycoris, .*not "gguf"/],
  ])('refuses %j with status 2', (argv, words) => {
    expect(() => parseArguments(argv)).toThrow(words);
    expect(() => parseArguments(argv)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

describe('a job on disk', () => {
  it('finds its folders beside the job file, and leaves built-ins to the page', () => {
    mkdirSync(join(folder, 'pictures'));
    const path = write('job.toml', '[data]\ntrain = "pictures"\n');
    expect(readJob(path).folders).toEqual({ train: join(folder, 'pictures') });
    expect(readJob(null).folders).toEqual({});
  });

  it('takes the steps of the command line before the default warm-up is derived from them', () => {
    const path = write('job.toml', '[train]\nsteps = 600\n');
    expect(readJob(path, { steps: 12 }).job.train).toMatchObject({ steps: 12, warmup: 2 });
    expect(readJob(null, { steps: 12 }).job.train).toMatchObject({ steps: 12, warmup: 2 });
  });

  it('takes how weights are held from the command line, else from the file, else leaves them', () => {
    const path = write('job.toml', '[train]\nquantise = "int8"\n');
    expect(readJob(path).job.train.quantise).toBe('int8');
    expect(readJob(path, { quantise: 'int4', steps: 3 }).job.train).toMatchObject({
      quantise: 'int4',
      steps: 3,
    });
    expect(readJob(null, { quantise: 'int4' }).job.train.quantise).toBe('int4');
    expect(readJob(null).job.train.quantise).toBe('no');
    const wrong = write('wrong.toml', '[train]\nquantise = "int2"\n');
    expect(() => readJob(wrong)).toThrow(
      'wrong.toml: Line 2: train.quantise is "int2"; allowed: "no" or "int8" or "int4".',
    );
  });

  it('takes a task’s built-in example where no file is given', () => {
    expect(readJob(null, { task: 'pairs', steps: 12 }).job).toMatchObject({
      task: 'pairs',
      model: 'builtin:repaint',
      train: { steps: 12 },
    });
    expect(() => readJob(null, { task: 'pears' })).toThrow(/--task: there is no task "pears"; there are /);
  });

  it('follows links, as caches of downloads hold them, and names one that leads nowhere', () => {
    mkdirSync(join(folder, 'blobs'));
    mkdirSync(join(folder, 'snapshot'));
    const names = [
      'model.onnx',
      'model.onnx_data',
      'config.json',
      'tokenizer.json',
      'data.npz',
      'run.toml',
      'a.safetensors',
    ];
    for (const name of names) {
      write(
        `blobs/${name}.blob`,
        name === 'run.toml'
          ? 'model = "model.onnx"\nadapter = "a.safetensors"\n[data]\ntrain = "data.npz"\n'
          : '',
      );
      symlinkSync(`../blobs/${name}.blob`, join(folder, 'snapshot', name));
    }
    mkdirSync(join(folder, 'blobs/model_folder'));
    symlinkSync('../blobs/model_folder', join(folder, 'snapshot/model_folder'));
    const here = (name: string): string => join(folder, 'snapshot', name);
    const { folders } = readJob(here('run.toml'));
    expect(folders).toEqual({
      model: here('model.onnx'),
      train: here('data.npz'),
      adapter: here('a.safetensors'),
    });
    rmSync(join(folder, 'blobs/model.onnx.blob'));
    expect(() => readJob(here('run.toml'))).toThrow(
      /model: .*model\.onnx is a link to .*blob, which is not there/,
    );
    symlinkSync('nowhere', here('gone'));
    expect(() => readJob(null, { plan: here('gone') })).toThrow(
      /--plan: .*gone is a link to nowhere, which is not there/,
    );
    expect(() => readJob(null, { adapter: here('gone') })).toThrow(/--adapter: .*gone is a link to nowhere/);
    expect(() => readJob(here('gone'))).toThrow(/gone is a link to nowhere/);
  });

  it('puts a plan of any tool, or a preset, in place of the job’s', () => {
    const job = write('job.toml', '[plan]\nblocks = { size = 8 }\n');
    const peft = { peft_type: 'OFT', oft_block_size: 16, r: 0, target_modules: ['to_q'] };
    const read = readJob(job, { plan: write('adapter_config.json', JSON.stringify(peft)) });
    expect(read.job.plan).toMatchObject({ side: 'input', blocks: { size: 16 } });
    expect(read.job.train).toEqual(readJob(job).job.train);
    expect(readJob(job, { preset: 'attn-mlp' }).job.plan).toEqual(presetPlan('attn-mlp'));
    expect(() => readJob(job, { preset: 'attn' })).toThrow(/no preset "attn"; there are full, /);
    expect(() => readJob(job, { plan: join(folder, 'none.toml') })).toThrow(
      /--plan: there is no file or folder .*none/,
    );
    expect(() => readJob(job, { plan: write('p.json', '{"peft_type": "LORA"}') })).toThrow(
      /p\.json: .*LORA/s,
    );
  });

  it('finds the adapter that a run starts from: beside the job, or on the command line', () => {
    const adapter = write('before.safetensors', '');
    const job = write('job.toml', 'adapter = "before.safetensors"\n');
    expect(readJob(job)).toMatchObject({ job: { adapter: 'before.safetensors' }, folders: { adapter } });
    mkdirSync(join(folder, 'peft'));
    const other = readJob(job, { adapter: join(folder, 'peft') });
    expect(other).toMatchObject({ job: { adapter: 'peft' }, folders: { adapter: join(folder, 'peft') } });
    expect(() => readJob(null, { adapter: join(folder, 'gone') })).toThrow(
      /--adapter: there is no file .*gone/,
    );
    rmSync(adapter);
    expect(() => readJob(job)).toThrow(/job\.toml: adapter: there is no file .*before/);
  });

  it('saves for LyCORIS unless another is asked for, or LyCORIS has no form for it', () => {
    const layer = {
      path: 'to_q',
      kind: 'linear',
      nodes: ['n'],
      initializer: 'w',
      op: 'MatMul',
      in: 32,
      out: 32,
      kernel: [],
      stride: [],
      groups: 1,
      transposed: true,
    } as const;
    const output = [plannedLayer(layer, defaultSettings, { count: 8, size: 4 })];
    const input = [plannedLayer(layer, peftSettings, { count: 2, size: 16 })];
    const chosen = (...given: Parameters<typeof formatsFor>) => formatsFor(...given).formats;
    expect(chosen(null, output, 'diffusion')).toEqual(['lycoris']);
    expect(chosen(null, input, 'diffusion')).toEqual(['peft']);
    expect(chosen(null, input, 'pairs')).toEqual(['peft', 'onnx']);
    expect(chosen(['comfyui', 'onnx'], output, 'pairs')).toEqual(['comfyui', 'onnx']);
    expect(() => formatsFor(['peft'], output, 'diffusion')).toThrow(/^--format peft: /);
    // What the writers refused beforehand is not promised, and not asked of them after hours.
    const packed = [{ format: 'onnx', reason: 'It is packed.' }] as const;
    expect(formatsFor(null, output, 'language', packed)).toEqual({
      formats: ['lycoris'],
      notes: ['No merged.onnx will be written: It is packed.'],
    });
    expect(() => formatsFor(['lycoris', 'onnx'], output, 'language', packed)).toThrow(
      '--format onnx: It is packed.',
    );
  });

  it.each([
    ['[train]\nstepz = 3\n', /job\.toml: Line 2: train\.stepz.*steps/],
    ['x = [', /job\.toml: .*TOML/],
    ['model = "nowhere"\n', /job\.toml: model: there is no file or folder .*nowhere/],
    ['[data]\ntrain = "nowhere.npz"\n', /data\.train: there is no file or folder .*nowhere/],
  ])('refuses %j by name', (text, words) => {
    expect(() => readJob(write('job.toml', text))).toThrow(words);
  });
});

it('shows progress in words', () => {
  expect(progressLine(30, 120, 0.19876, 95)).toBe(
    '██████░░░░░░░░░░░░░░░░░░  step 30 of 120  loss 0.1988  1 min 35 s left',
  );
  expect([duration(59.4), duration(3599), duration(7265)]).toEqual(['59 s', '59 min 59 s', '2 h 1 min']);
});

describe('the end in words', () => {
  const evaluation = (step: number, heldoutLoss: number | null, accuracy?: number) => ({
    step,
    heldoutLoss,
    saturation: null,
    ...(accuracy !== undefined && {
      metrics: [{ name: 'accuracy', value: accuracy, unit: 'share', better: 'higher' } as const],
      tables: [
        {
          title: 'Confusion',
          columns: ['', 'cat', 'dog'],
          rows: [
            ['cat', '10', '2'],
            ['dog', '0', '9'],
          ],
        },
      ],
    }),
  });

  it('shows the first and the last figures, and the last tables', () => {
    expect(summary([evaluation(0, 1.5, 0.25), evaluation(5, null), evaluation(10, 0.25, 0.9)])).toBe(
      [
        'step 0: held-out loss 1.5000, accuracy 25.0 %',
        'step 10: held-out loss 0.2500, accuracy 90.0 %',
        '',
        'Confusion',
        '       cat  dog',
        '  ───  ───  ───',
        '  cat  10   2',
        '  dog  0    9',
      ].join('\n'),
    );
    expect(summary([])).toBe('');
    expect(evaluationLine(evaluation(3, null))).toBe('');
  });

  it('writes texts behind what they answer', () => {
    expect(textsOf({ step: 0, prompts: ['a', 'b'], texts: ['1\n2', '3'], pictures: [] })).toBe(
      'a\n    1\n    2\n\nb\n    3\n',
    );
  });
});

describe('what is said of the command', () => {
  it('explains every option, and names every task', () => {
    for (const [option] of USAGE.matchAll(/--[a-z]+/g)) expect(help()).toContain(`\n  ${option} `);
    for (const { id } of taskInfos) expect(help()).toContain(id);
  });

  it('in README: its jobs are jobs, its tasks are tasks', () => {
    const readme = readFileSync('README.md', 'utf8');
    const jobs = [...readme.matchAll(/```toml\n([^`]*)```/g)].map(([, toml]) => parseJob(toml!));
    expect(jobs.map(({ task }) => task)).toEqual([
      ...['diffusion', 'language', 'language', 'generic', 'image-classification'],
    ]);
    for (const { id } of taskInfos.filter((info) => info.id !== 'diffusion')) expect(readme).toContain(id);
  });
});
