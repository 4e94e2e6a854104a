/** @file Jobs as files: saved from the page, opened again, the same; broken ones refused. */
import { readFileSync } from 'node:fs';
import { taskInfos } from '#src/tasks/infos.ts';
import { jobFromTable, parseJob } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { expect, test } from '../pages/test.ts';

test('a job that is opened and saved is the same, for every task', async ({ rotune, page }) => {
  for (const { id } of taskInfos) {
    const job = { ...jobFromTable({ task: id, train: { steps: 7, seed: 3, recompute: true } }) };
    await rotune.open();
    await page.getByLabel('Open a job').setInputFiles({
      name: 'job.toml',
      mimeType: 'application/toml',
      buffer: Buffer.from(printJob(job)),
    });
    await rotune.advanced.click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save this job' }).click();
    const saved = readFileSync(await (await download).path(), 'utf8');
    expect(parseJob(saved)).toEqual(job);
    await page.goto('about:blank');
  }
});

test('what is changed on the page is in the file', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.lookAtExample('Pirate stories').click();
  await rotune.advanced.click();
  await page.getByLabel('Steps', { exact: true }).fill('33');
  await page.getByRole('checkbox', { name: 'Save memory' }).check();
  await page.getByRole('heading', { name: 'Task' }).click();
  await page.getByLabel('Put short texts together').uncheck();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save this job' }).click();
  const job = parseJob(readFileSync(await (await download).path(), 'utf8'));
  expect(job).toMatchObject({
    task: 'language',
    train: { steps: 33, recompute: true },
    options: { packing: false },
  });
});

test('a file that is no job is refused by its key', async ({ rotune, page }) => {
  await rotune.open();
  const give = (text: string) =>
    page
      .getByLabel('Open a job')
      .setInputFiles({ name: 'my.toml', mimeType: 'text/plain', buffer: Buffer.from(text) });
  await give('[train]\nstepz = 3\n');
  await expect(page.getByRole('alert')).toContainText(/my\.toml: .*stepz/);
  await give('this is no TOML');
  await expect(page.getByRole('alert')).toContainText(/my\.toml: /);
});
