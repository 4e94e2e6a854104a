/** @file The before-and-after view asks for as few pictures as the wishes need. */
import { describe, expect, it } from 'vitest';
import type { SampleRequest } from '#workers/protocol.ts';
import { Comparison } from './comparison.svelte.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { FakeTrainer } from '../testing/fakeTrainer.ts';

function setUp() {
  const trainer = new FakeTrainer({ pace: 1 });
  const asked: SampleRequest[] = [];
  const sample = trainer.sample.bind(trainer);
  trainer.sample = (request) => {
    asked.push(request);
    return sample(request);
  };
  const comparison = new Comparison(trainer);
  const settled = () => expect.poll(() => [comparison.busy, asked.length > 0]).toEqual([false, true]);
  return { trainer, asked, comparison, settled };
}

describe('Comparison', () => {
  it('draws the first prompt by both models', async () => {
    const { asked, comparison, settled } = setUp();
    comparison.open(fakeJob.sample, null, null);
    await settled();
    expect(asked.map(({ prompts, seed, strength }) => [prompts[0], seed, strength])).toEqual([
      ['ghost', 7, 0],
      ['ghost', 7, 1],
    ]);
    expect(comparison.before?.rgba).not.toEqual(comparison.after?.rgba);
  });

  it('draws only the last of many strengths, and the untouched picture not again', async () => {
    const { asked, comparison, settled } = setUp();
    comparison.open(fakeJob.sample, null, null);
    await settled();
    asked.length = 0;
    for (const strength of [0.9, 0.7, 0.5]) comparison.set({ strength });
    await settled();
    expect(asked.map(({ strength }) => strength)).toEqual([0.5]);
  });

  it('draws both again for another seed', async () => {
    const { asked, comparison, settled } = setUp();
    comparison.open(fakeJob.sample, null, null);
    await settled();
    asked.length = 0;
    comparison.set({ seed: 8 });
    await settled();
    expect(asked.map(({ seed, strength }) => [seed, strength])).toEqual([
      [8, 0],
      [8, 1],
    ]);
  });

  it('says why it could not, and recovers with the next wish', async () => {
    const { trainer, comparison } = setUp();
    const sample = trainer.sample;
    trainer.sample = async () => ({ ok: false, problem: { code: 'busy', message: 'A run is going on.' } });
    comparison.open(fakeJob.sample, null, null);
    await expect.poll(() => comparison.problem?.code).toBe('busy');
    trainer.sample = sample;
    comparison.set({ strength: 0.5 });
    await expect.poll(() => comparison.after).not.toBeNull();
    expect(comparison.problem).toBeNull();
  });
});
