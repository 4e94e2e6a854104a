/** @file Every task by hand: its example from the first screen to a result with its measure, and an adapter saved. */
import type { Page } from '@playwright/test';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { violations } from '../pages/axe.ts';
import { goals, quickExamples } from '../pages/goals.ts';
import { expect, test } from '../pages/test.ts';

/** The first measure at the end; shares as numbers from 0 to 1. */
const lastFigure = async (page: Page): Promise<number> => {
  const value = page.getByRole('region', { name: 'On data it never saw' }).locator('dd strong').first();
  const text = (await value.textContent())!;
  const figure = Number.parseFloat(text.replace(',', '.'));
  return text.includes('%') ? figure / 100 : figure;
};

test.describe('the example', () => {
  for (const { info, example, first } of quickExamples)
    test(`${example.id} of ${info.id}`, async ({ rotune, page }) => {
      const goal = goals[example.id]!;
      if (first) {
        await rotune.open();
        await rotune.tryExample(example.title).click();
      } else {
        await rotune.openJob(jobFromTable(example.job));
        await rotune.trainShared.click();
      }
      await expect(rotune.resultHeading).toBeVisible({ timeout: 150_000 });
      const heading = (await rotune.resultHeading.textContent())!;
      const [, fell] = /loss fell by ([\d.]+)/.exec(heading) ?? [];
      // Of classes that the untouched model does not know there is no loss before: then the measure says it.
      if (fell !== undefined) expect(1 - Number.parseFloat(fell) / 100).toBeLessThan(goal.loss);
      else expect(heading).toMatch(/^\s*Accuracy is \d/);
      if (goal.metric !== null) expect(goal.met(await lastFigure(page)), goal.words).toBe(true);
      expect(await violations(page)).toEqual([]);
      const adapter = await rotune.adapter();
      expect(adapter.byteLength).toBeGreaterThan(1000);
    });
});

test('a task is chosen, its options are set, its data are seen', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.lookAtExample('Pirate stories').click();
  await expect(page.getByText('110 of 32 tokens')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await rotune.advanced.click();
  await page.getByRole('heading', { name: 'Task' }).click();
  await page.getByLabel('Tokens of a sequence').fill('16');
  await page.getByLabel('Tokens of a sequence').press('Tab');
  await expect(page.getByText('of 16 tokens')).toBeVisible();
  await page.getByRole('combobox', { name: 'What to teach' }).selectOption('image-classification');
  await expect(page.getByText(/Classes/)).toBeVisible();
  await expect(page.getByText(/moon \d+/)).toBeVisible();
});

test('own texts are taken, and what is wrong with them is said', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.lookAtExample('Pirate stories').click();
  const own = page.getByRole('group', { name: 'Use your own texts' }).getByLabel('or single files');
  const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await own.setInputFiles([file('bad.jsonl', '{"text": "the cat"}\n{"text": ')]);
  await expect(page.getByText('bad.jsonl, line 2: it is not JSON.').first()).toBeVisible();
  await expect(page.getByRole('button', { name: /^Start/ })).toBeDisabled();
  // What could be read of it lies there to be edited; what is added leaves the rest behind.
  await page
    .getByLabel('Add files')
    .setInputFiles([file('good.txt', 'the small cat found a map. '.repeat(60))]);
  await expect(page.getByText(/[12] to train, 0 held out/)).toBeVisible();
  await expect(page.getByRole('button', { name: /^Start/ })).toBeEnabled();
});
