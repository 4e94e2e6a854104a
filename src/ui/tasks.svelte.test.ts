/** @file Tasks that show words: labels of texts on the wall, their measures and tables, by keyboard too; pasted data; words for counts. */
import { describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { PASTED } from '#src/app/data/pasted.ts';
import { toSource } from '#src/app/data/picked.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { open as openPage, violations, openAdvanced } from './testing/open.ts';

async function open(options: FakeOptions = {}) {
  const opened = await openPage(options);
  await opened.lab.wakeUp();
  return opened;
}

const texts = ['What a day! '.repeat(40).trim(), 'Not again.'];
const labels: FakeOptions = {
  says: {
    prompts: texts,
    words: (prompt, amount) => (amount > 0.5 && prompt === 1 ? 'bad 91 %' : 'good 55 %'),
    judged: (amount) => ({
      metrics: [{ name: 'accuracy', value: 0.5 + amount / 4, unit: 'share', better: 'higher' }],
      tables: [{ title: 'Confusion', columns: ['is \\ says', 'good', 'bad'], rows: [['good', '3', '1']] }],
    }),
  },
};
const job = jobFromTable({
  task: 'image-classification',
  train: { steps: 8 },
  sample: { every: 4 },
});

describe('labels of texts', () => {
  it('are a wall of words: rows by step, arrow keys, enter enlarges with the whole text', async () => {
    const { lab } = await open(labels);
    lab.draft.setJob(job);
    await lab.training.start();
    lab.go('run');
    const grid = page.getByRole('grid', { name: 'Samples' });
    await expect.element(grid).toBeVisible();
    expect(
      [...document.querySelectorAll('[role=grid] tbody th')].map((each) => each.textContent.trim()),
    ).toEqual(['Untouched', 'Step 8', 'Step 4']);
    expect(await violations()).toEqual([]);

    const cell = (row: number, column: number) =>
      document.querySelector<HTMLElement>(`[data-cell="${row} ${column}"]`)!;
    cell(0, 0).focus();
    await userEvent.keyboard('{ArrowDown}{ArrowRight}');
    expect(document.activeElement).toBe(cell(1, 1));
    expect(cell(1, 1).textContent).toBe('bad 91\u202f%');
    await userEvent.keyboard('{Enter}');
    const dialog = page.getByRole('dialog', { name: 'Not again., enlarged' });
    await expect.element(dialog.getByText('good 55 %')).toBeVisible();
    await expect.element(dialog.getByText('bad 91 %')).toBeVisible();
    expect(await violations()).toEqual([]);
    await userEvent.keyboard('{ArrowLeft}');
    await expect.element(page.getByRole('dialog').getByText(texts[0]!)).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => document.activeElement).toBe(cell(1, 0));
  });

  it('have their measure on the chart and in words, and their tables at the result', async () => {
    const { lab } = await open(labels);
    lab.draft.setJob(job);
    await lab.training.start();
    await expect.element(page.getByRole('heading', { name: /^Held-out loss fell by/ })).toBeVisible();
    const judged = page.getByRole('region', { name: 'On data it never saw' });
    await expect.element(judged.getByText('75\u2009%')).toBeVisible();
    await page.getByText('Confusion').click();
    await expect.element(page.getByRole('columnheader', { name: 'bad' })).toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Save model' })).toBeVisible();
    expect(await violations()).toEqual([]);
    lab.go('run');
    await expect
      .element(page.getByRole('img', { name: /accuracy 50\s% at step 0, 75\s% at step 8/ }))
      .toBeVisible();
  });
});

it('says that colour is of the samples, not of held-out data', async () => {
  const { lab } = await open();
  lab.draft.setJob({ ...fakeJob, train: { ...fakeJob.train, steps: 4 } });
  await lab.training.start();
  lab.go('run');
  await expect.element(page.getByText('Colour of the samples')).toBeVisible();
  expect(page.getByRole('heading', { name: 'On data it never saw' }).elements()).toHaveLength(0);
});

describe('pasting', () => {
  const paste = (target: EventTarget, words: string) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', words);
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };

  it('anywhere on the page makes data; in a field it does not', async () => {
    const { lab } = await open();
    lab.draft.setJob(jobFromTable({ task: 'language' }));
    lab.go('new');
    await openAdvanced();
    const steps = page.getByRole('spinbutton', { name: 'Steps', exact: true });
    await expect.element(steps).toBeVisible();
    expect(paste(steps.element(), '12')).toBe(false);
    expect(lab.draft.picked.train).toBeNull();
    expect(paste(document.body, 'Once upon a time.')).toBe(true);
    expect(lab.draft.job.data).toMatchObject({ train: PASTED, heldout: null });
    await expect.element(page.getByText('Pasted data: 1 file.')).toBeVisible();
    expect(lab.voice.text).toBe('Pasted. 1 file in all.');
    paste(document.body, '  ');
    expect(lab.draft.picked.train?.kind === 'files' && lab.draft.picked.train.files.length).toBe(1);
  });

  it('on the first screen, words are no pictures', async () => {
    const { lab } = await open();
    expect(paste(document.body, 'Once upon a time.')).toBe(false);
    expect(lab.screen).toBe('home');
  });
});

it('a preparation that was cancelled can go on', async () => {
  const { lab, trainer } = await open();
  const { prepare } = trainer;
  trainer.prepare = async () => ({
    ok: false,
    problem: { code: 'cancelled', message: 'The preparation was cancelled.' },
  });
  lab.go('new');
  const button = page.getByRole('button', { name: 'Go on preparing' });
  await expect.element(button).toBeVisible();
  await expect.element(page.getByText('Not prepared yet').first()).toBeVisible();
  trainer.prepare = prepare.bind(trainer);
  await button.click();
  await expect.element(page.getByRole('button', { name: 'Start', exact: true })).toBeEnabled();
});

it('asks for held-out data that a job names, or judges by a share', async () => {
  const { lab } = await open();
  lab.draft.setJob(jobFromTable({ task: 'language', data: { train: 'mine', heldout: 'others' } }));
  lab.draft.pick({ train: toSource([{ path: 'mine/a.txt', blob: new Blob(['a']) }]) });
  lab.go('new');
  await expect
    .element(page.getByText('“others” is on the device where this job was made', { exact: false }).first())
    .toBeVisible();
  await page.getByRole('button', { name: 'Judge by a share of the texts instead' }).click();
  expect(lab.draft.job.data).toMatchObject({ train: 'mine', heldout: null, split: 0.1 });
  await openAdvanced();
  await page.getByText('10 per cent held out').click();
  await expect.element(page.getByRole('spinbutton', { name: 'Held out, in per cent' })).toHaveValue(10);
});
