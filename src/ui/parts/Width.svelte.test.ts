/** @file What lays itself out by the width that there is settles within one frame, at every width: no browser has to leave a measurement for the next. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import Draw from '../draw/Draw.svelte';
import { open } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 8 }, sample: { ...fakeJob.sample, every: 2 } };

let said: string[] = [];
const hear = ({ message }: ErrorEvent) => said.push(message);
beforeEach(() => {
  said = [];
  addEventListener('error', hear);
});
afterEach(() => removeEventListener('error', hear));

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** From phone to desktop and back. */
async function resize() {
  for (const width of [390, 700, 961, 1440, 820, 390]) {
    await page.viewport(width, 900);
    await frame();
    await frame();
  }
}

it('a run, its film and one sample, large', async () => {
  const { lab } = await open({}, job);
  void lab.training.start({
    onEvent: (event) => event.kind === 'checkpoint' && event.step === 6 && void lab.training.pause(),
  });
  await expect.poll(() => lab.run.status).toBe('paused');
  await page.getByText('As a film').click();
  await resize();
  document.querySelector<HTMLElement>('[data-cell="1 0"]')!.click();
  await expect.element(page.getByRole('dialog')).toBeVisible();
  await resize();
  expect(said).toEqual([]);
});

it('a result, and one pair, large', async () => {
  const { lab } = await open({}, job);
  await lab.training.start();
  await expect.element(page.getByRole('heading', { name: 'Draw' })).toBeVisible();
  await resize();
  document.querySelector<HTMLElement>('[data-pair="0"]')!.click();
  await expect.element(page.getByRole('dialog')).toBeVisible();
  await resize();
  expect(said).toEqual([]);
});

it('a sheet to draw on', async () => {
  await render(Draw, { size: 32, onchange: () => undefined });
  await resize();
  expect(said).toEqual([]);
});
