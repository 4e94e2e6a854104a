/** @file The loss chart on the page: figures that stand apart at every width, and another run's curve under this one's. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { fakeSummary } from '#src/app/testing/fakeLibrary.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open, violations } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 8 }, sample: { ...fakeJob.sample, every: 2 } };

it('keeps the names of its figures apart', async () => {
  const { lab } = await open({}, job);
  void lab.training.start({ onEvent: (event) => event.kind === 'steps' && void lab.training.pause() });
  await expect.poll(() => lab.run.status).toBe('paused');
  await expect.element(page.getByRole('heading', { name: 'Loss' })).toBeVisible();
  for (const width of [390, 820, 961, 1440]) {
    await page.viewport(width, 900);
    const names = [...document.querySelectorAll('aside dt')].filter(({ textContent }) =>
      ['Step', 'Smoothed', 'Raw', 'Held-out'].includes(textContent.trim()),
    );
    expect(names).toHaveLength(4);
    const boxes = names.map((name) => {
      const range = document.createRange();
      range.selectNodeContents(name);
      return range.getBoundingClientRect();
    });
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1)) {
        const apart =
          a.right + 8 <= b.left || b.right + 8 <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart, `${width} px`).toBe(true);
      }
  }
});

it('lays a saved run’s curve under this one’s', async () => {
  const { lab, trainer } = await open({}, job);
  trainer.keep({
    summary: fakeSummary({ id: 'old', job, name: 'Older ghosts', step: 3, losses: [0.9, 0.5, 0.3] }),
  });
  void lab.training.start({ onEvent: (event) => event.kind === 'steps' && void lab.training.pause() });
  await expect.poll(() => lab.run.status).toBe('paused');
  await page.getByRole('combobox', { name: 'Compare with' }).selectOptions('old');
  const figure = page.getByText('Other run', { exact: true });
  await expect.element(figure).toBeVisible();
  // At this run's newest step, not at the other's.
  const shown = (): Record<string, string> =>
    Object.fromEntries(
      [...document.querySelectorAll('[aria-labelledby="loss"] dl > div')].map((pair) => [
        pair.querySelector('dt')?.textContent ?? '',
        pair.querySelector('dd')?.textContent ?? '',
      ]),
    );
  const { Step: step, 'Other run': value } = shown();
  expect(value).toBe(['0.900', '0.500', '0.300'][Math.min(Number(step), 2)]);
  expect(await violations()).toEqual([]);
});
