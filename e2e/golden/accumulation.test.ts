/** @file One update over a few examples, cut into micro-batches in every way, against torch and LyCORIS over all of them at once (accumulation/make.py). */
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { task as generic } from '#src/tasks/generic/task.ts';
import { task as images } from '#src/tasks/image-classification/task.ts';
import { pngDecoder } from '#src/tasks/images/testing/host.ts';
import { task as language } from '#src/tasks/language/task.ts';
import { firstUpdate, type UpdateRun } from '#src/tasks/testing/firstUpdate.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import expected from './accumulation/expected.json' with { type: 'json' };

const folder = (name: string) => diskFiles(`e2e/golden/accumulation/${name}`);
const plan = { ...defaultSettings, rules: [], blocks: { dim: 4 } } as const;

/** [batch, accumulate] for so many examples. */
const cuts = (total: number): [number, number][] =>
  Array.from({ length: total }, (_, i) => i + 1).flatMap((batch): [number, number][] =>
    total % batch === 0 ? [[batch, total / batch]] : [],
  );

async function matches(
  run: Omit<UpdateRun, 'job' | 'plan'>,
  job: (train: { batch: number; accumulate: number }) => UpdateRun['job'],
  [batch, accumulate]: readonly [number, number],
  want: { readonly loss: number; readonly gradNorm: number },
): Promise<void> {
  const got = await firstUpdate({ ...run, plan, job: job({ batch, accumulate }) });
  expect(Math.abs(got.loss / want.loss - 1), `loss ${got.loss} for ${want.loss}`).toBeLessThan(2e-6);
  expect(
    Math.abs(got.gradNorm / want.gradNorm - 1),
    `gradient norm ${got.gradNorm} for ${want.gradNorm}`,
  ).toBeLessThan(5e-6);
}

describe('torch’s loss and gradient over all examples, in batches of b, a of them', () => {
  it.each(cuts(4))('texts of very different lengths: %i × %i', async (...cut) => {
    const lines = expected.language.texts.map((text) => `${JSON.stringify({ text })}\n`).join('');
    await matches(
      { task: language, model: folder('language'), train: memoryFiles({ 'data.jsonl': lines }) },
      (train) => testJob('language', { packing: false, length: 48 }, { train }),
      cut,
      expected.language,
    );
  });

  it.each(cuts(4))('labels of -100: %i × %i', async (...cut) => {
    const { x, labels } = expected.tokens;
    const arrays = new Map([
      ['x', tensor('float32', [4, 5, 6], x)],
      ['labels', tensor('int32', [4, 5], labels)],
    ]);
    const train = memoryFiles({ 'a.safetensors': writeSafetensors(arrays, new Map()) });
    await matches(
      { task: generic, model: folder('tokens'), train },
      (t) => testJob('generic', { loss: 'cross_entropy' }, { train: t }),
      cut,
      expected.tokens,
    );
  });

  it.each(expected.classes.flatMap((c) => cuts(8).map((cut) => [c.smoothing, c.weights, cut, c] as const)))(
    'smoothing %f, class weights %s: %j',
    async (smoothing, weights, cut, want) => {
      const options = { normalise: 'none', head: 'keep', labelSmoothing: smoothing, classWeights: weights };
      await matches(
        {
          task: images,
          model: folder('classes'),
          train: folder('classes/data'),
          decodeImage: pngDecoder(),
        },
        (train) => testJob('image-classification', options, { train }),
        cut,
        want,
      );
    },
  );
});
