/** @file The cards of built-in examples say what a run of them would, and shared jobs find theirs. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jobFromTable, jobToTable } from '#src/formats/jobs/job.ts';
import { seesPictures, taskInfos } from '../words/taskWords.ts';
import { type ExampleOutputs, exampleOfJob, stripWords } from './exampleOutputs.ts';

const all = taskInfos.flatMap((info) => info.examples.map((example) => ({ info, example })));

it.each(all)('the card of $example.id', ({ info, example }) => {
  const { names, ...said } = JSON.parse(
    readFileSync(`public/examples/${example.id}.json`, 'utf8'),
  ) as Partial<ExampleOutputs>;
  expect(existsSync(`public/examples/${example.id}.png`)).toBe(seesPictures(info));
  if (seesPictures(info)) expect(stripWords(info)).toMatch(/\.$/);
  if (info.shows === 'pictures') expect(said).toEqual({});
  else expect(said.after).toHaveLength(names!.length);
  // Both classifiers get a new last layer, of whose classes the untouched model knows nothing.
  const before = ['image-classification', 'text-classification'].includes(info.id) ? undefined : said.after;
  expect(said.before?.length).toBe(before?.length);
});

describe('a job’s example', () => {
  it.each(all)('is found: $example.id', ({ example }) => {
    const job = jobFromTable(example.job);
    // As it comes out of a link.
    expect(exampleOfJob(jobFromTable(jobToTable(job)))).toEqual({ example, same: true });
    expect(exampleOfJob({ ...job, train: { ...job.train, steps: 3 } })).toEqual({ example, same: false });
    expect(exampleOfJob({ ...job, model: 'builtin:none' })).toBeNull();
    expect(exampleOfJob({ ...job, data: { ...job.data, train: 'builtin:none/train' } })).toBeNull();
  });
});
