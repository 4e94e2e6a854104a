/** @file The command line of `npm run tune` refuses what it cannot do, by name; jobs on disk become folders the page can fetch. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJob } from './library.ts';
import { filesBelow, parseArguments } from './options.mjs';
import { duration, progressLine } from './progress.mjs';

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
    expect(parseArguments(['job.toml', '--out', 'x', '--backend=wasm', '--steps', '7'])).toEqual({
      job: 'job.toml',
      out: 'x',
      backend: 'wasm',
      steps: 7,
      resume: false,
      help: false,
    });
  });

  it.each([
    [['--ste', '4'], /no option --ste/],
    [['--steps', '0'], /--steps .*"0"/],
    [['--steps'], /--steps needs a value/],
    [['--backend', 'cuda'], /auto, webgpu or wasm, not "cuda"/],
    [['a.toml', 'b.toml'], /one job at a time/],
    [['--resume', '--steps', '9'], /cannot change a run that is resumed/],
  ])('refuses %j with status 2', (argv, words) => {
    expect(() => parseArguments(argv)).toThrow(words);
    expect(() => parseArguments(argv)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

describe('a job on disk', () => {
  it('finds its folders beside the job file, and leaves built-ins to the page', () => {
    mkdirSync(join(folder, 'pictures'));
    const path = write('job.toml', '[data]\ntrain = "pictures"\n');
    expect(readJob(path, null).folders).toEqual({ train: join(folder, 'pictures') });
    expect(readJob(null, null).folders).toEqual({});
  });

  it('takes the steps of the command line before the default warm-up is derived from them', () => {
    const path = write('job.toml', '[train]\nsteps = 600\n');
    expect(readJob(path, 12).job.train).toMatchObject({ steps: 12, warmup: 2 });
    expect(readJob(null, 12).job.train).toMatchObject({ steps: 12, warmup: 2 });
  });

  it.each([
    ['[train]\nstepz = 3\n', /job\.toml: train\.stepz.*steps/],
    ['x = [', /job\.toml: .*TOML/],
    ['model = "nowhere"\n', /job\.toml: model: there is no folder .*nowhere/],
    ['[data]\ntrain = "job.toml"\n', /data\.train: .* is not a folder/],
  ])('refuses %j by name', (text, words) => {
    expect(() => readJob(write('job.toml', text), null)).toThrow(words);
  });

  it('hands over files in order, hidden ones left out', () => {
    mkdirSync(join(folder, 'b', '__MACOSX'), { recursive: true });
    for (const name of ['b/2.png', 'a.png', '.hidden', 'b/._2.png', 'b/__MACOSX/x']) write(name, '');
    expect(filesBelow(folder)).toEqual(['a.png', 'b/2.png']);
  });
});

it('shows progress in words', () => {
  expect(progressLine(30, 120, 0.19876, 95)).toBe(
    '██████░░░░░░░░░░░░░░░░░░  step 30 of 120  loss 0.1988  1 min 35 s left',
  );
  expect([duration(59.4), duration(3599), duration(7265)]).toEqual(['59 s', '59 min 59 s', '2 h 1 min']);
});
