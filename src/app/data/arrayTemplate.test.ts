/** @file The template is held to the task that takes it: nothing is wrong with it, whatever the model; and what the page says of it is. */
import { describe, expect, it } from 'vitest';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { task } from '#src/tasks/generic/task.ts';
import { testHost } from '#src/tasks/images/testing/host.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { inspect } from '#workers/inspection/inspect.ts';
import { arraysIn } from './arrayFiles.ts';
import { matchArrays } from './arrayMatch.ts';
import { arrayTemplate, ROWS, saveLine, saveScript, wantedArrays, wantedShape } from './arrayTemplate.ts';

async function wantedOf(folder: string, options: object) {
  const { models } = await inspect(diskFiles(folder));
  const [model] = models;
  if (model?.kind !== 'model') throw new Error('It cannot be read.');
  return wantedArrays(model, options);
}

const mean = { loss: 'mse' };
const classes = { loss: 'cross_entropy' };
it.each<readonly [folder: string, options: Readonly<Record<string, string>>]>([
  ['public/models/waves', mean],
  ['public/models/waves', { loss: 'l1', target: 'wanted' }],
  ['public/models/repaint', mean],
  ['e2e/golden/zoo/mlp-dyn20', mean],
  ['e2e/golden/zoo/bert-cls-dyn18', classes],
  ['e2e/golden/zoo/llama-int4-qdq21', mean],
  ['e2e/golden/zoo/resnet18-dyn18', classes],
  ['e2e/golden/zoo/resnet18-dyn18', { loss: 'bce' }],
  ['e2e/golden/zoo/sd2-unet-ts14', mean],
  ['e2e/golden/zoo/vae-decoder-ts17', mean],
])('%s takes its template (%o)', async (folder, options) => {
  const wanted = (await wantedOf(folder, options))!;
  const template = await arrayTemplate(wanted);
  const { rows, count } = matchArrays(
    wanted,
    (await arraysIn([{ path: 'train.npz', blob: template }]))!,
    options,
  );
  expect(rows.map(({ fits, words }) => [fits, words])).toEqual(wanted.arrays.map(() => [true, '']));
  expect(count).toBe(ROWS);
  const npz = new Uint8Array(await template.arrayBuffer());
  const model = diskFiles(folder);
  const batch = folder.endsWith('mlp-dyn20') ? 4 : 2;
  const job = testJob('generic', options, { train: { batch } });
  const opened = await task.open(model, openWhole(model), job);
  const prepared = await opened.prepare(memoryFiles({ 'train.npz': npz }), null, testHost());
  expect(prepared.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(prepared.counts.train).toBe(ROWS);
});

describe('in words', () => {
  it('says shapes, and how to save them', async () => {
    const wanted = (await wantedOf('e2e/golden/zoo/resnet18-dyn18', classes))!;
    expect(wanted.arrays.map((a) => `${a.name} ${a.type} ${wantedShape(a, wanted)}`)).toEqual([
      'x float32 examples × 3 × 32 × 32',
      'target int64 examples',
    ]);
    expect(saveScript(wanted)).toBe(
      [
        'import numpy as np',
        '# x: float32, examples × 3 × 32 × 32',
        '# target: int64, examples',
        'np.savez("train.npz", x=x, target=target)',
      ].join('\n'),
    );
  });

  it('has none for what is empty at first', async () => {
    expect(await wantedOf('e2e/golden/zoo/gpt2-past-optimum18', mean)).toBeNull();
  });

  it('takes names that are none in Python', () => {
    const array = { type: 'float32', shape: [2], sizes: [2], role: 'input' } as const;
    const arrays = [
      { ...array, name: 'input.1' },
      { ...array, name: '1:0' },
    ];
    expect(saveLine({ arrays, per: 'example' })).toBe(
      'np.savez("train.npz", **{"input.1": input_1, "1:0": _1_0})',
    );
  });
});
