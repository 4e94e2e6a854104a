/** @file Files that end in a Softmax, as those made for inference do: their losses are −ln p of what onnxruntime 1.30 says in Python, and fall. */
import { describe, expect, it } from 'vitest';
import { defaultPlan } from '#src/formats/plans/plan.ts';
import { usualRate } from '#src/oft/plan/rates.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { task as arrays } from '#src/tasks/generic/task.ts';
import { task as images } from '#src/tasks/image-classification/task.ts';
import { pngDecoder } from '#src/tasks/images/testing/host.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';

const files = (name: string) => diskFiles(`e2e/golden/probabilities/${name}`);

it('arrays: 200 classes of MatMul and Softmax are learned from their logits', async () => {
  const { losses, before, after, prepared } = await trainTask({
    task: arrays,
    model: files('arrays'),
    train: files('arrays-data'),
    heldout: files('arrays-data'),
    job: testJob('generic', { loss: 'cross_entropy' }, { train: { steps: 60, batch: 16 } }),
    plan: defaultPlan,
    learningRate: 0.02,
  });
  // By Softmax on top of Softmax it would be ln 200 = 5.298 for good.
  expect(losses[0]).toBeCloseTo(6.199521, 4);
  expect(before.loss).toBeCloseTo(6.055583, 4);
  expect(after.loss!).toBeLessThan(before.loss! - 0.3);
  expect(prepared.guess).toBeCloseTo(Math.log(200), 6);
  expect(prepared.preview.facts).toContainEqual({
    label: 'The loss takes',
    value: expect.stringMatching(/^logits: the last Softmax/) as string,
  });
});

describe('pictures: Softmax and Identity at the end, as paddle2onnx writes it,', () => {
  const run = (head: string, learningRate: number, steps: number) =>
    trainTask({
      task: images,
      model: files('pictures'),
      train: files('pictures-data'),
      heldout: files('pictures-data'),
      job: testJob('image-classification', { head, side: 32 }, { train: { steps, batch: 4 } }),
      plan: defaultPlan,
      learningRate,
      decodeImage: pngDecoder(),
    });

  it('keep their classes by the logits before', async () => {
    const { losses, before, after, layout } = await run('keep', 0.03, 120);
    expect(layout.whole).toEqual([]);
    expect(before.loss).toBeCloseTo(0.6784916, 4);
    expect(after.loss!).toBeLessThan(before.loss!);
    expect(Math.min(...losses)).toBeLessThan(before.loss!);
  });

  it('take a new last layer', async () => {
    const { losses, layout, after, samplesAfter } = await run('new', 0.05, 60);
    expect(layout.whole.map((w) => w.shape)).toEqual([[expect.any(Number), 2]]);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(after.loss!).toBeLessThan(1);
    // Shares of the classes.
    for (const text of samplesAfter.texts!) expect(text).toMatch(/^(circle|square) \d+ %$/);
    expect(usualRate(defaultPlan)).toBeLessThan(0.05);
  });
});
