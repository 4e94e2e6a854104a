/** @file What a pick changes in the job. */
import { describe, expect, it } from 'vitest';
import { defaultJob, jobFromTable, parseJob } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { toSource } from './picked.ts';
import { jobWith, jobWithoutData, judgedByShare, SPLIT, withPicked } from './picking.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { awaitsData, NOTHING, requestOf } from '../worker/request.ts';

const folder = (name: string) => toSource([{ path: `${name}/a`, blob: new Blob(['a']) }])!;

describe('own data', () => {
  it('are judged by a share of their own, not by the built-in pictures', () => {
    const train = folder('cats');
    const { data } = jobWith(defaultJob, { train }, { ...NOTHING, train });
    expect(data).toMatchObject({ train: 'cats', heldout: null, split: SPLIT });
  });

  it('keep the share that was chosen', () => {
    const train = folder('cats');
    const job = { ...defaultJob, data: { ...defaultJob.data, split: 0.3 } };
    expect(jobWith(job, { train }, { ...NOTHING, train }).data.split).toBe(0.3);
    const off = { ...defaultJob, data: { ...defaultJob.data, heldout: null, split: 0 } };
    expect(jobWith(off, { train }, { ...NOTHING, train }).data.split).toBe(0);
  });

  it('do not lose the held-out folder that a job names', () => {
    const job = jobFromTable({ task: 'language', data: { train: 'a', heldout: 'b' }, model: 'm' });
    const train = folder('a');
    const model = folder('m');
    const next = jobWith(job, { train }, { ...NOTHING, train });
    expect(next.data.heldout).toBe('b');
    const request = requestOf(next, { ...NOTHING, model, train }, 'auto');
    expect(request).toMatchObject({ code: 'bad-data', item: 'b' });
    expect(judgedByShare(next).data).toMatchObject({ heldout: null, split: SPLIT });
  });
});

it('an adapter that was picked is in the job’s file, and gone with it', () => {
  const adapter = folder('before');
  const job = jobWith(defaultJob, { adapter }, { ...NOTHING, adapter });
  expect(parseJob(printJob(job))).toEqual(job);
  expect(job.adapter).toBe('before');
  expect(jobWith(job, { adapter: null }, NOTHING)).toEqual(defaultJob);
});

it('another task keeps what was picked', () => {
  const train = folder('cats');
  const picked = { ...NOTHING, train };
  const job = jobWith(defaultJob, { train }, picked);
  const next = withPicked(jobFromTable({ task: 'pairs' }), job, picked);
  expect(next).toMatchObject({ task: 'pairs', data: { train: 'cats', heldout: null, split: SPLIT } });
  expect(next.model).toBe('builtin:repaint');
});

describe.each(taskInfos.map(({ id }) => id))(
  'a model of one’s own in place of the example’s for %s',
  (task) => {
    const example = jobFromTable({ task });
    const model = folder('mine');

    it('has no data of the example, and keeps one’s own', () => {
      const alone = jobWith(example, { model }, { ...NOTHING, model });
      expect(alone).toMatchObject({ task, model: 'mine', data: { train: '', heldout: null } });
      expect(alone.data.split).toBeGreaterThan(0);
      expect(JSON.stringify(alone.data)).not.toContain('builtin:');
      expect(awaitsData(alone, { ...NOTHING, model })).toBe(true);
      const train = folder('cats');
      const withData = jobWith(example, { train }, { ...NOTHING, train });
      expect(jobWith(withData, { model }, { ...NOTHING, model, train }).data.train).toBe('cats');
      expect(jobWith(example, { model, train }, { ...NOTHING, model, train }).data.train).toBe('cats');
    });

    it('that a job names itself keeps the data that were chosen with it', () => {
      const shared = { ...example, model: 'mine' };
      expect(jobWith(shared, { model }, { ...NOTHING, model }).data).toEqual(example.data);
    });
  },
);

describe.each(taskInfos.map(({ id }) => id))('a model of one’s own for %s', (task) => {
  const model = folder('mine');
  const job = jobWithoutData(task, model);
  const picked = { ...NOTHING, model };

  it('has no data before they are chosen, and says so', () => {
    expect(JSON.stringify(job)).not.toContain('builtin:');
    expect(job).toMatchObject({ task, model: 'mine', data: { train: '', heldout: null, split: SPLIT } });
    expect(awaitsData(job, picked)).toBe(true);
    expect(requestOf(job, picked, 'auto')).toMatchObject({
      message: expect.stringMatching(/^No \w+ yet: add (some|them)\.$/) as string,
    });
    expect(parseJob(printJob(job))).toEqual(job);
  });

  it('gets those that are picked', () => {
    const train = folder('cats');
    const next = jobWith(job, { train }, { ...picked, train });
    expect(next.data.train).toBe('cats');
    expect(awaitsData(next, { ...picked, train })).toBe(false);
    expect(requestOf(next, { ...picked, train }, 'auto')).toMatchObject({ model, train });
  });

  it('has none for any other task either', () => {
    for (const { id } of taskInfos)
      expect(withPicked(jobFromTable({ task: id }), job, picked).data).toMatchObject({
        train: '',
        heldout: null,
      });
  });
});
