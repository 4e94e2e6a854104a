/** @file Picked arrays beside what the model wants: what fits, what does not and why, and a choice where a name does not say it. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { fakeInspection, fakeModel } from '#src/app/testing/fakeInspection.ts';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { tensor, type Tensor } from '#src/onnx/tensor.ts';
import { writeNpz } from '#src/tasks/arrays/npz.ts';
import type { Inspection } from '#workers/inspection/types.ts';
import { open, violations } from '../testing/open.ts';

const model = fakeModel('model.onnx');
const inspection: Inspection = {
  ...fakeInspection('mine'),
  first: 'model.onnx',
  models: [
    {
      ...model,
      inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3], bound: [1, 3] }],
      outputs: [{ name: 'out', type: 'float32', shape: ['batch', 4], bound: [1, 4] }],
    },
  ],
};
const zeros = (type: Tensor['type'], ...shape: number[]): Tensor =>
  tensor(type, shape, new Uint8Array(shape.reduce((n, d) => n * d, 1)));
const archive = async (arrays: Readonly<Record<string, Tensor>>) =>
  new File([(await writeNpz(new Map(Object.entries(arrays)))) as Uint8Array<ArrayBuffer>], 'train.npz');

const files = () => page.getByRole('group', { name: 'Use your own data' }).getByLabelText('or single files');

it('are held against it in the table, and the target is chosen', async () => {
  const { lab } = await open({ inspection }, jobFromTable({ task: 'generic' }));
  lab.go('new');
  const before = page.getByRole('table', { name: 'What to bring' });
  await expect.element(before).toHaveTextContent(/x input\s*float32\s*examples × 3/);
  await files().upload(
    await archive({ x: zeros('float64', 9, 3), y: zeros('float32', 9, 3), w: zeros('float32', 9, 4) }),
  );
  const table = page.getByRole('table', { name: 'What was found of what it needs' });
  await expect
    .element(table.getByRole('row', { name: /^x input/ }))
    .toHaveTextContent(/Fits:\s*float64, 9 × 3/);
  await expect.element(table.getByText('x is float64: it will be turned into float32.')).toBeVisible();
  await expect
    .element(table.getByText('y has 3 numbers per example, the model gives 4 numbers.'))
    .toBeVisible();
  await expect.element(page.getByText('9 examples. Not used: w.')).toBeVisible();
  expect(await violations()).toEqual([]);
  await page.getByLabelText('Which array is the target').selectOptions('w');
  expect(lab.draft.job.options.target).toBe('w');
  await expect
    .element(table.getByRole('row', { name: /^w target/ }))
    .toHaveTextContent(/Fits:\s*float32, 9 × 4/);
  await expect.element(page.getByText('9 examples. Not used: y.')).toBeVisible();
  await page.getByText('How to make such a file').click();
  await expect.element(page.getByRole('button', { name: 'Save a template (.npz)' })).toBeVisible();
  expect(await violations()).toEqual([]);
});

it('that cannot be read are said so', async () => {
  const { lab } = await open({ inspection }, jobFromTable({ task: 'generic' }));
  lab.go('new');
  await files().upload(new File(['no'], 'x.npy'));
  await expect.element(page.getByText(/x\.npy: Not an \.npy file/)).toBeVisible();
  await expect.element(page.getByText('x is missing.')).toBeVisible();
});
