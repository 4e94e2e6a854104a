/** @file A run that finds no room: one standing line, whatever the number of attempts, and a button that ends it. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { open as openPage } from '../testing/open.ts';

const unsaved = () => page.getByText(/There is no room to save 0\.7 MB/);

it('is said once while the run goes on, and its result is known for being in this tab alone', async () => {
  const { lab } = await openPage({ full: true, pace: 1 });
  const run = lab.training.start();
  await expect.element(unsaved()).toBeVisible();
  await run;
  expect(lab.run.warnings).toEqual([]);
  await expect.element(page.getByText(/is in this tab alone, and gone when the tab is closed/)).toBeVisible();
  expect(unsaved().elements()).toHaveLength(1);
  expect(lab.run.onlyHere).toBe(true);
  await page.getByRole('button', { name: 'Make room, and save it' }).click();
  await expect.poll(() => lab.run.onlyHere).toBe(false);
  await expect.element(unsaved()).not.toBeInTheDocument();
  expect(lab.run.checkpoint).toMatchObject({ bytes: 690_000 });
});

it('takes nothing from other runs where room would not help', async () => {
  const { lab, trainer } = await openPage({ refused: true, pace: 1 });
  await lab.training.start();
  expect(lab.run.onlyHere).toBe(true);
  await page.getByRole('button', { name: 'Save it again' }).click();
  await expect.poll(() => lab.run.onlyHere).toBe(false);
  expect(trainer.freed).toBe(false);
});

it('is not said of a paused run that is saved, and is of one that is not', async () => {
  const { lab } = await openPage({ full: true, pace: 1 });
  const run = lab.training.start({
    onEvent: (event) => event.kind === 'steps' && void lab.training.pause(),
  });
  await run;
  expect(lab.run.status).toBe('paused');
  expect(lab.voice.text).toMatch(/could not be saved/);
  await expect.element(page.getByText('Paused, not saved')).toBeVisible();
  expect(lab.run.onlyHere).toBe(true);
});
