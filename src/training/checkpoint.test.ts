import { describe, expect, it } from 'vitest';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { DataError } from '#src/tasks/files.ts';
import { type Checkpoint, matchCheckpoint, meansOf, parseCheckpoint } from './checkpoint.ts';
import { StepLog } from './steps.ts';
import type { StepRecord } from './types.ts';

const job: Job = {
  ...fakeJob,
  data: { ...fakeJob.data, heldout: null, captionDropout: 0 },
  sample: { prompts: ['cat face'], negative: '', steps: 20, guidance: 1, seed: 0, every: 30, share: 0.25 },
};
const records: StepRecord[] = [
  { step: 0, loss: 0.5, learningRate: 1e-3, gradNorm: 0.1, ms: 300 },
  { step: 2, loss: NaN, learningRate: 1e-3, gradNorm: Infinity, ms: 300, skipped: true },
];
const checkpoint: Checkpoint = {
  version: 1,
  job,
  modelHash: 'ab'.repeat(32),
  seed: 0,
  backend: 'wasm',
  step: 3,
  state: { theta: Float32Array.of(1, 2), m: Float32Array.of(0, -0), v: Float32Array.of(1e-40, 3) },
  history: StepLog.of(records).columns(),
  evaluations: [
    {
      ...{ step: 0, heldoutLoss: 0.25, saturation: null },
      examples: [{ name: 'a.png', is: 'fox', says: 'owl', share: 0.9 }],
    },
  ],
};
const parseJob = (x: unknown): Job => {
  if ((x as Job | undefined)?.version !== 1) throw new Error('the job has no version 1.');
  return x as Job;
};
const run = {
  job,
  modelHash: checkpoint.modelHash,
  state: { theta: 2, m: 2, v: 2 },
};

describe('parseCheckpoint', () => {
  it('gives back what structured cloning kept, bit for bit', () => {
    expect(parseCheckpoint(structuredClone(checkpoint), parseJob)).toEqual(checkpoint);
  });

  it('reads the list of records that older versions wrote', () => {
    expect(parseCheckpoint({ ...checkpoint, history: records }, parseJob)).toEqual(checkpoint);
  });

  it.each([
    [{ version: 2 }, /version/],
    [{ modelHash: 'xyz' }, /modelHash.*SHA-256/],
    [{ step: -1 }, /step/],
    [{ seed: 0.5 }, /seed/],
    [{ state: { theta: [1, 2] } }, /state\.theta/],
    [{ state: { theta: Float32Array.of(1, NaN) } }, /state\.theta.*not finite/],
    [{ history: [{ step: 0 }] }, /history\.0/],
    [{ history: [...records].reverse() }, /history/],
    [{ history: { ...checkpoint.history, loss: undefined } }, /history\.loss/],
    [{ history: { ...checkpoint.history, ms: Float64Array.of(1) } }, /history.*different lengths/],
    [{ history: { ...checkpoint.history, flags: Float64Array.of(0, 8) } }, /history\.flags.*another flag/],
    [{ history: { ...checkpoint.history, step: Float64Array.of(0, 0) } }, /history/],
    [{ history: { ...checkpoint.history, step: Float64Array.of(0, 0.5) } }, /history/],
    [{ history: { ...checkpoint.history, step: Float64Array.of(-1, 0) } }, /history/],
    [{ step: 2 }, /history/],
    [{ evaluations: [{ step: 0, heldoutLoss: '1', saturation: null }] }, /evaluations\.0\.heldoutLoss/],
    [{ means: [] }, /means/],
    [{ means: [...meansOf(checkpoint), ...meansOf(checkpoint)] }, /means/],
    [{ means: [{ ...meansOf(checkpoint)[0]!, threads: 0 }] }, /means\.0\.threads/],
    [{ job: {} }, /job/],
  ])('refuses %j', (change, message) => {
    const read = () => parseCheckpoint({ ...checkpoint, ...change }, parseJob);
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
  });

  it.each([null, undefined, 'text', [], 3])('refuses %j', (stored) => {
    expect(() => parseCheckpoint(stored, parseJob)).toThrow(DataError);
  });
});

describe('matchCheckpoint', () => {
  it('accepts its own run, also with other prompts and intervals', () => {
    matchCheckpoint(checkpoint, run);
    const other: Job = {
      ...job,
      sample: { ...job.sample, prompts: ['rocket', 'ghost'], every: 10 },
      train: { ...job.train, checkpointSteps: 5 },
    };
    matchCheckpoint(checkpoint, { ...run, job: other });
  });

  it('says of an older version’s checkpoint what it was computed with, as far as it was written down', () => {
    expect(meansOf(checkpoint)).toMatchObject([{ step: 0, backend: 'wasm', threads: null, rotune: null }]);
    expect(meansOf({ ...checkpoint, threads: 2 })).toMatchObject([{ threads: 2 }]);
    const means = [{ ...meansOf(checkpoint)[0]!, threads: 4, rotune: '0.1.0' }];
    expect(meansOf(parseCheckpoint({ ...checkpoint, means }, parseJob))).toEqual(means);
  });

  it('names every field that differs', () => {
    const other: Job = {
      ...job,
      train: { ...job.train, batch: 8, betas: [0.9, 0.999] },
      plan: { ...job.plan, blocks: { size: 8 } },
    };
    const match = () => matchCheckpoint(checkpoint, { ...run, job: other, modelHash: 'cd'.repeat(32) });
    expect(match).toThrow(DataError);
    for (const part of [
      /model is another one/,
      /train\.batch was 4, now 8/,
      /train\.betas\.1 was 0\.99, now 0\.999/,
      /plan\.blocks\.dim was 4, now nothing/,
      /plan\.blocks\.size was nothing, now 8/,
    ])
      expect(match).toThrow(part);
  });

  it('refuses vectors of another length, and more steps than the run has', () => {
    expect(() => matchCheckpoint(checkpoint, { ...run, state: { theta: 3, m: 2, v: 2 } })).toThrow(
      /vector theta had 2 numbers, now 3/,
    );
    expect(() => matchCheckpoint({ ...checkpoint, step: 121 }, run)).toThrow(/121 steps/);
  });
});
