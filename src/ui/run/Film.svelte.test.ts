/** @file The wall as a film on the page: by slider, keys and by itself, for pictures and for words. */
import { expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import { open, violations } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 40 }, sample: { ...fakeJob.sample, every: 2 } };

async function paused(options: FakeOptions = {}) {
  const { lab } = await open(options, job);
  void lab.training.start({
    onEvent: (event) => event.kind === 'checkpoint' && event.step === 6 && void lab.training.pause(),
  });
  await expect.poll(() => lab.run.status).toBe('paused');
  await page.getByText('As a film').click();
  return lab;
}

it('shows all prompts at the step of the slider, which arrow keys move', async () => {
  const lab = await paused();
  const slider = page.getByRole('slider', { name: 'Step shown' });
  const newest = lab.run.rows.at(-1)!;
  await expect.element(slider).toHaveAttribute('aria-valuetext', `Step ${newest.step}`);
  slider.element().focus();
  await userEvent.keyboard('{Home}');
  await expect.element(slider).toHaveAttribute('aria-valuetext', 'Untouched');
  await userEvent.keyboard('{ArrowRight}');
  await expect.element(slider).toHaveAttribute('aria-valuetext', 'Step 2');
  const film = document.querySelector('details[open] ul')!;
  expect(film.querySelectorAll('li')).toHaveLength(newest.prompts.length);
  expect(film.querySelectorAll('[aria-label$=", step 2"], [alt$=", step 2"]')).toHaveLength(
    newest.pictures.length,
  );
  expect(await violations()).toEqual([]);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.element(page.getByRole('button', { name: 'Pause the film' })).toBeVisible();
  await expect.element(slider).toHaveAttribute('aria-valuetext', 'Step 4');
});

it('shows words, too', async () => {
  await paused({
    says: {
      prompts: ['Once', 'Twice'],
      words: (prompt, amount) => `said ${prompt} at ${amount.toFixed(2)}`,
      judged: () => ({}),
    },
  });
  const slider = page.getByRole('slider', { name: 'Step shown' });
  slider.element().focus();
  await userEvent.keyboard('{Home}');
  const said = () =>
    [...document.querySelectorAll('details[open] .said')].map(({ textContent }) => textContent);
  await expect.poll(said).toEqual(['said 0 at 0.00', 'said 1 at 0.00']);
});
