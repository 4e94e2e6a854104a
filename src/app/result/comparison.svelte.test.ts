/** @file What is at hand is not drawn again, what is not is drawn once, and no adapter shows another's pictures. */
import { describe, expect, it } from 'vitest';
import type { Picture, SampleRequest } from '#workers/protocol.ts';
import { Comparison } from './comparison.svelte.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { drawDisc, FakeTrainer } from '../testing/fakeTrainer.ts';

const sample = { ...fakeJob.sample, prompts: ['ghost', 'robot', 'fox'], seed: 7 };
const row = (step: number, amount: number) => ({
  step,
  prompts: sample.prompts,
  pictures: sample.prompts.map((_, i) => drawDisc(i, amount, 7)),
});
const wall = [row(0, 0), row(60, 0.5), row(120, 1)];

function setUp() {
  const trainer = new FakeTrainer({ pace: 1 });
  const asked: SampleRequest[] = [];
  const draw = trainer.sample.bind(trainer);
  trainer.sample = (request) => {
    asked.push(request);
    return draw(request);
  };
  const comparison = new Comparison(trainer);
  /** Until nothing waits and nothing is drawn. */
  const settled = () =>
    expect.poll(() => !comparison.busy && comparison.pairs.every(({ waiting }) => !waiting)).toBe(true);
  const wishes = () => asked.map(({ prompts, strength }) => [prompts.join(), strength]);
  return { trainer, asked, comparison, settled, wishes };
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a finished run', () => {
  it('shows the wall’s first and last row for all prompts, and draws nothing', async () => {
    const { asked, comparison } = setUp();
    comparison.open(sample, wall, 120);
    expect(comparison.pairs.map(({ prompt, waiting }) => [prompt, waiting])).toEqual([
      ['ghost', false],
      ['robot', false],
      ['fox', false],
    ]);
    expect(comparison.pairs[1]!.before).toBe(wall[0]!.pictures[1]);
    expect(comparison.pairs[1]!.after).toBe(wall[2]!.pictures[1]);
    await pause(300);
    expect(asked).toEqual([]);
  });

  it('draws its end where the wall stops before it', async () => {
    const { comparison, settled, wishes } = setUp();
    comparison.open(sample, wall, 110);
    await settled();
    expect(wishes()).toEqual([
      ['ghost', 1],
      ['robot,fox', 1],
    ]);
  });

  it('draws another strength once, in the wall’s places, and knows it afterwards', async () => {
    const { asked, comparison, settled } = setUp();
    comparison.open(sample, wall, 120);
    comparison.choose(1);
    for (const strength of [0.9, 0.7, 0.5]) comparison.set({ strength });
    expect(comparison.pair!.waiting).toBe(true);
    expect(comparison.pair!.after).toBe(wall[2]!.pictures[1]);
    await settled();
    expect(asked.map(({ prompts, places, strength }) => [prompts, places, strength])).toEqual([
      [['robot'], [1], 0.5],
      [['ghost', 'fox'], [0, 2], 0.5],
    ]);
    comparison.set({ strength: 1 });
    comparison.set({ strength: 0.5 });
    comparison.set({ strength: 0 });
    expect(comparison.pair!.after).toBe(wall[0]!.pictures[1]);
    await pause(200);
    expect(asked).toHaveLength(2);
  });

  it('draws both again for another seed, the tuned ones first', async () => {
    const { comparison, settled, wishes } = setUp();
    comparison.open(sample, wall, 120);
    comparison.set({ seed: 8 });
    expect(comparison.pair).toMatchObject({ before: null, after: null });
    await settled();
    expect(wishes()).toEqual([
      ['ghost', 1],
      ['ghost', 0],
      ['robot,fox', 1],
      ['robot,fox', 0],
    ]);
  });

  it('takes a prompt of one’s own before the others', async () => {
    const { comparison, settled, wishes } = setUp();
    comparison.open(sample, wall, 120);
    comparison.add('owl');
    await settled();
    expect(comparison.pair!.prompt).toBe('owl');
    expect(wishes()).toEqual([
      ['owl', 1],
      ['owl', 0],
    ]);
    comparison.add('robot');
    expect(comparison.pair!.prompt).toBe('robot');
    expect(comparison.pairs).toHaveLength(4);
  });
});

describe('another adapter', () => {
  it('shows nothing of the one before', async () => {
    const { comparison, settled } = setUp();
    comparison.open(sample, wall, 120);
    comparison.open(sample, [], 0);
    for (const { before, after, waiting } of comparison.pairs)
      expect([before, after, waiting]).toEqual([null, null, true]);
    await settled();
  });

  it('takes no picture that was still being drawn for the one before', async () => {
    const { trainer, comparison, settled } = setUp();
    const late = drawDisc(11, 0.3, 99);
    let answer: (picture: Picture) => void = () => undefined;
    const draw = trainer.sample;
    trainer.sample = async ({ prompts }) => {
      const picture = await new Promise<Picture>((resolve) => (answer = resolve));
      return { ok: true, value: { prompts, pictures: prompts.map(() => picture) } };
    };
    comparison.open(sample, [], 0);
    await expect.poll(() => comparison.busy).toBe(true);
    comparison.open(sample, [], 0);
    trainer.sample = draw;
    answer(late);
    await settled();
    for (const { before, after } of comparison.pairs) {
      expect(before).not.toBe(late);
      expect(after).not.toBe(late);
    }
  });

  it('at step 0 of a run that was stopped at once is drawn, not taken for tuned', async () => {
    const { comparison, settled, wishes } = setUp();
    comparison.open(sample, [wall[0]!], 0);
    await settled();
    expect(wishes().map(([, strength]) => strength)).toEqual([1, 1]);
  });
});

it('says why it could not, and recovers with the next wish', async () => {
  const { trainer, comparison, settled } = setUp();
  const draw = trainer.sample;
  trainer.sample = async () => ({ ok: false, problem: { code: 'busy', message: 'A run is going on.' } });
  comparison.open(sample, [], 0);
  await expect.poll(() => comparison.problem?.code).toBe('busy');
  trainer.sample = draw;
  comparison.set({ strength: 0.5 });
  await settled();
  expect(comparison.problem).toBeNull();
});

it('keeps what is said of a prompt by the prompt, and drops it with the adapter', async () => {
  const { trainer, comparison, settled } = setUp();
  const draw = trainer.sample;
  trainer.sample = async (request) => {
    const drawn = await draw(request);
    const notes = request.prompts.map((prompt) => (prompt === 'zyzzyva' ? 'Not known.' : null));
    return drawn.ok ? { ok: true, value: { ...drawn.value, notes } } : drawn;
  };
  comparison.open(sample, wall, 120);
  expect(comparison.note).toBeNull();
  comparison.add('zyzzyva');
  await settled();
  expect(comparison.note).toBe('Not known.');
  comparison.choose(1);
  expect(comparison.note).toBeNull();
  comparison.choose(0);
  expect(comparison.note).toBe('Not known.');
  comparison.open(sample, wall, 120);
  comparison.add('zyzzyva');
  expect(comparison.note).toBeNull();
});
