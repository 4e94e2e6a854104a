/** @file A change of view: where the focus goes, how far the page is scrolled, and what stands in the tab. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open } from './testing/open.ts';

const h1 = () => document.querySelector('main h1');

it('leaves the focus alone when the page opens', async () => {
  await open();
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect(document.activeElement).toBe(document.body);
  expect(document.title).toBe('Rotune');
});

it('moves focus to the heading of each new view, at its top', async () => {
  const { lab } = await open();
  for (const screen of ['words', 'about', 'new', 'model', 'home'] as const) {
    scrollTo(0, 400);
    lab.go(screen);
    await expect.poll(() => h1() !== null && document.activeElement === h1(), { message: screen }).toBe(true);
    expect(scrollY, screen).toBe(0);
  }
});

it('says in the tab how far a run is, and that it ended', async () => {
  const { lab } = await open({ pace: 30 }, { ...fakeJob, train: { ...fakeJob.train, steps: 8 } });
  const running = lab.training.start();
  await expect.poll(() => document.title).toMatch(/^\d+\u2009% · Rotune$/);
  lab.go('words');
  await expect.element(page.getByRole('heading', { level: 1, name: 'Words' })).toHaveFocus();
  expect(document.title).toMatch(/^\d+\u2009% · Rotune$/);
  await running;
  await expect.poll(() => document.title).toBe('Done · Rotune');
  await expect.poll(() => document.activeElement === h1()).toBe(true);
});
