/** @file The inspector with real files: good ones, one that cannot be trained, broken ones, weights that are missing. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from '../pages/test.ts';

const golden = (path: string): string => `e2e/golden/${path}`;
const RESNET = golden('zoo/resnet18-ts17/model.onnx');
const BERT = golden('zoo/bert-optimum14-fused/model.onnx');
const LLAMA = golden('zoo/llama-dyn20/model.onnx');

/** Gives files to the field that takes single ones. */
const give = (page: Page, ...files: string[]): Promise<void> =>
  page
    .getByRole('group', { name: /^Open (a|another) model folder/ })
    .getByLabel('or single files')
    .setInputFiles(files);

test.beforeEach(async ({ rotune }) => {
  await rotune.open();
});

test('a ResNet can be trained; its sizes can be changed', async ({ page }) => {
  await give(page, RESNET);
  await expect(page.getByText('This model can be trained: 22 layers can turn.').first()).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('model.onnx');
  await expect(page.getByText(/all \d+ nodes of a training step run on the GPU/)).toBeVisible();
  const layers = page.getByRole('table', { name: 'Layers' });
  await expect(layers).toHaveAttribute('aria-rowcount', '23');
  await expect(layers.getByRole('row').nth(1)).toContainText('conv1');
  await page.getByLabel('height', { exact: true }).fill('64');
  await page.getByLabel('height', { exact: true }).press('Tab');
  await expect(page.getByText('1 × 3 × 64 × 224')).toBeVisible();
  await page.getByRole('button', { name: 'See the plan' }).click();
  await expect(page.getByRole('grid', { name: 'Layers' })).toHaveAttribute('aria-rowcount', '23');
});

test('a BERT says what it takes, and another model takes its place', async ({ page }) => {
  await give(page, BERT);
  await expect(page.getByText(/This model can be trained: \d+ layers can turn\./).first()).toBeVisible();
  await expect(page.getByRole('rowheader', { name: /^input_ids/ })).toBeVisible();
  await expect(page.getByLabel('sequence_length')).toHaveValue('32');
  await page.getByRole('heading', { name: 'Operators' }).click();
  await expect(page.getByRole('table', { name: 'Operators' })).toContainText('com.microsoft');
  await give(page, golden('zoo/gru-refuse-ts17/model.onnx'));
  await expect(page.getByText('This model cannot be trained: it has GRU (1 node).').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Train it' })).toBeDisabled();
  await expect(page.getByRole('heading', { name: 'Cannot train' })).toBeVisible();
});

test('a broken file is refused by name, and the good one beside it is shown', async ({ page }) => {
  await give(page, golden('bad/truncated.onnx'), BERT);
  await expect(page.getByText(/can be trained: \d+ layers can turn/).first()).toBeVisible();
  await page.getByRole('tab', { name: /truncated\.onnx/ }).click();
  await expect(page.getByRole('alert')).toContainText(/truncated\.onnx: .*damaged/);
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('tab', { name: /^model\.onnx/ })).toBeFocused();
});

test('weights that are missing are asked for, and then found', async ({ page }) => {
  await give(page, LLAMA);
  await expect(page.getByText(/The weights are not here: .*model\.onnx\.data/).first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Train it' })).toBeDisabled();
  await give(page, LLAMA, `${LLAMA}.data`);
  await expect(page.getByText('This model can be trained: 15 layers can turn.').first()).toBeVisible();
  await expect(page.getByText(/all \d+ nodes of a training step run on the GPU/)).toBeVisible();
});

test('nodes that the GPU would not run are named with the reason', async ({ page }) => {
  await give(page, golden('placement/model.onnx'));
  await expect(page.getByRole('table', { name: /would run on the CPU/ })).toContainText('Mod');
});

test('a model dropped anywhere on the page is opened; anything else is not', async ({ page }) => {
  const drop = async (name: string, path: string): Promise<void> => {
    const base64 = readFileSync(path).toString('base64');
    await page.evaluate(
      ([file, content]) => {
        const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], file));
        document.body.dispatchEvent(
          new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }),
        );
      },
      [name, base64] as const,
    );
  };
  await drop('notes.txt', golden('zoo/mlp-ts14/case.json'));
  await expect(page.getByRole('alert')).toContainText('no ONNX model');
  await drop('mlp.onnx', golden('zoo/mlp-ts14/model.onnx'));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('mlp.onnx');
  await expect(page.getByText('This model can be trained: 3 layers can turn.').first()).toBeVisible();
});
