/** @file The inspector's screen with a trainer that needs no worker: tabs, sizes, the plan, keys, and what axe has to say. */
import { describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { fakeInspection, fakeModel } from '#src/app/testing/fakeInspection.ts';
import { manyLayers } from '#src/app/testing/fakeLayers.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import { open as openPage, violations } from '../testing/open.ts';

async function open(options: FakeOptions = {}) {
  const { lab } = await openPage(options);
  await lab.inspect({
    kind: 'files',
    name: 'mine',
    files: [
      { path: 'unet/model.onnx', blob: new Blob() },
      { path: 'vocoder/model.onnx', blob: new Blob() },
    ],
  });
  await expect.element(page.getByRole('heading', { level: 1, name: 'mine' })).toBeVisible();
  return lab;
}

describe('the inspector', () => {
  it('goes through the files of a folder by keys', async () => {
    await open();
    const unet = page.getByRole('tab', { name: /^unet/ });
    await expect.element(unet).toHaveAttribute('aria-selected', 'true');
    await expect.element(page.getByText(/can be trained: \d+ layers can turn/).first()).toBeVisible();
    (unet.element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowRight}');
    await expect.element(page.getByRole('tab', { name: /^vocoder/ })).toHaveFocus();
    await expect.element(page.getByRole('heading', { name: /^GRU/ })).toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Train it' })).toBeDisabled();
    expect(await violations()).toEqual([]);
    await userEvent.keyboard('{End}');
    await expect.element(page.getByRole('alert')).toHaveTextContent(/broken\.onnx/);
    await userEvent.keyboard('{ArrowRight}');
    await expect.element(unet).toHaveFocus();
    expect(await violations()).toEqual([]);
  });

  it('binds a size, and goes back to the assumed one', async () => {
    await open();
    const batch = page.getByLabelText('batch', { exact: true });
    await expect.element(batch).toHaveValue(1);
    await batch.fill('3');
    await userEvent.keyboard('{Tab}');
    await expect.element(page.getByText('3 × 3 × 32 × 32').first()).toBeVisible();
    await page.getByRole('button', { name: 'Back to the assumed sizes' }).click();
    await expect.element(page.getByText('1 × 3 × 32 × 32').first()).toBeVisible();
  });

  it('keeps only the rows in sight in the page', async () => {
    const layers = manyLayers(3000);
    await open({
      inspection: { ...fakeInspection('mine'), models: [fakeModel('model.onnx', {}, layers)] },
    });
    const table = page.getByRole('table', { name: 'Layers' });
    await expect.element(table).toHaveAttribute('aria-rowcount', '3001');
    const rows = () => table.element().querySelectorAll('[role=row]');
    expect(rows().length).toBeLessThan(60);
    table.element().scrollTop = 1e9;
    await expect.poll(() => [...rows()].at(-1)?.textContent).toContain(layers.at(-1)!.path);
    await page.getByRole('searchbox', { name: 'Filter layers' }).fill(layers[1234]!.path);
    await expect.element(table).not.toHaveAttribute('aria-rowcount', '3001');
    await page.getByText('What the columns mean: Layers').click();
    await page.getByRole('button', { name: 'What is “Weights of a layer”?' }).click();
    await expect.element(page.getByRole('note', { name: 'Weights of a layer' })).toBeVisible();
    expect(await violations()).toEqual([]);
  });

  it('shows the plan on the layers found, and goes on to a run', async () => {
    const lab = await open();
    await page.getByRole('button', { name: 'See the plan' }).click();
    await expect.element(page.getByRole('heading', { name: 'Plan' })).toBeVisible();
    await expect.element(page.getByRole('grid', { name: 'Layers' })).toBeVisible();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Train it' }).click();
    await expect.element(page.getByRole('heading', { name: 'Advanced' })).toBeVisible();
    expect(lab.draft.picked.model).toMatchObject({ kind: 'files', name: 'mine' });
  });

  it('says what the model can be taught, and goes on with no data but one’s own', async () => {
    const lab = await open();
    await page.getByRole('button', { name: /^Train it \(Draw/ }).click();
    await expect.element(page.getByText('No pictures yet: add some.').first()).toBeVisible();
    expect(page.getByRole('alert').elements()).toEqual([]);
    await expect.element(page.getByRole('button', { name: 'Start' })).toBeDisabled();
    expect(JSON.stringify([lab.draft.job.model, lab.draft.job.data])).not.toContain('builtin:');
    expect(await violations()).toEqual([]);
  });

  it('says which arrays to bring', async () => {
    const lab = await open();
    await page.getByRole('button', { name: /^Teach it this \(Arrays/ }).click();
    await expect.element(page.getByText('No data yet: add them.').first()).toBeVisible();
    const table = page.getByRole('table', { name: 'What to bring' });
    await expect.element(table).toHaveTextContent(/sample input\s*float32\s*batches × 1 × 3 × 32 × 32/);
    await expect.element(page.getByText('np.savez("train.npz", sample=sample')).toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Save a template (.npz)' })).toBeVisible();
    expect([lab.draft.job.task, lab.draft.job.data.train]).toEqual(['generic', '']);
    // Of a folder with several models only the one that was shown.
    expect(lab.draft.picked.model).toMatchObject({ files: [{ path: 'unet/model.onnx' }] });
    expect(await violations()).toEqual([]);
  });
});
