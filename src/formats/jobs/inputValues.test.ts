import { expect, it } from 'vitest';
import { inputValues, parseValues, printValues } from './inputValues.ts';
import { jobFromTable, jobToTable, parseJob } from './job.ts';
import { printJob } from './printJob.ts';

const fail = (words: string): Error => new Error(words);

it('are read from texts', () => {
  expect(inputValues(['sr=16000', 'training=False', 'size=224, 112', 'a=b=1e-3', 'sr=8000'], fail)).toEqual({
    sr: 8000,
    training: 0,
    size: [224, 112],
    'a=b': 0.001,
  });
  for (const bad of ['sr', 'sr=', '=3', 'sr=fast', 'size=1,,2', 'x=NaN', 'x=Infinity'])
    expect(() => inputValues([bad], fail), bad).toThrow(/write it as NAME=VALUE/);
});

it('are read back from their line', () => {
  const values = { sr: 16000, size: [224, 112] };
  expect(parseValues(printValues(values))).toEqual(values);
  expect(parseValues(' ')).toEqual({});
  expect(parseValues('sr=fast')).toMatch(/^sr=fast: write it as NAME=VALUE/);
});

it('travel in a job under the inputs’ own names', () => {
  const job = parseJob(
    'task = "generic"\n[inputs]\nsample_rate = 16000\nisTraining = false\nsize = [224, 112]\n',
  );
  expect(job.inputs).toEqual({ sample_rate: 16000, isTraining: 0, size: [224, 112] });
  expect(parseJob(printJob(job))).toEqual(job);
  expect(jobFromTable(jobToTable(job))).toEqual(job);
  expect('inputs' in jobFromTable({})).toBe(false);
  for (const bad of ['[inputs]\nsr = "fast"', 'inputs = 3', '[inputs]\nsr = []', '[inputs]\nsr = nan'])
    expect(() => parseJob(bad), bad).toThrow(/inputs.*allowed: a table of numbers, true or false/);
});
