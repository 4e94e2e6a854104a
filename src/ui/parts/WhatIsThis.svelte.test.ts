/** @file "?" beside figures and settings: opened, read and left by pointer and by keyboard, with the Popover API and without. */
import { afterEach, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type * as popoversModule from '#src/app/page/popovers.ts';
import { remembered } from '#src/app/page/remembered.ts';
import { wordOf } from '#src/app/words/glossary.ts';
import { open, openAdvanced, violations } from '../testing/open.ts';

const popovers = vi.hoisted(() => ({ there: true }));
vi.mock('#src/app/page/popovers.ts', async (original) => ({
  ...(await original<typeof popoversModule>()),
  hasPopovers: () => popovers.there,
}));
afterEach(() => (popovers.there = true));

const rate = wordOf('learning-rate');
const card = page.getByRole('note', { name: rate.term, exact: true });
const button = page.getByRole('button', { name: `What is “${rate.term}”?` });

async function openSettings() {
  const { lab } = await open();
  await lab.wakeUp();
  lab.go('new');
  await expect.element(page.getByRole('heading', { name: 'Advanced' })).toBeVisible();
  // It stays open for those who opened it.
  if (!remembered('advanced').read()?.startsWith('open')) await openAdvanced();
  await expect.element(button).toBeVisible();
}

it.each([true, false])(
  'opens by keyboard and closes by Escape, the focus kept (Popover API: %s)',
  async (there) => {
    popovers.there = there;
    await openSettings();
    (button.element() as HTMLElement).focus();
    await userEvent.keyboard('{Enter}');
    await expect.element(card).toBeVisible();
    await expect.element(card).toHaveTextContent(rate.says.join(' '));
    await expect.element(button).toHaveAttribute('aria-expanded', 'true');
    expect(await violations()).toEqual([]);

    await userEvent.keyboard('{Tab}');
    await expect.element(card.getByRole('link').first()).toHaveFocus();
    await userEvent.keyboard('{Escape}');
    await expect.element(button).toHaveAttribute('aria-expanded', 'false');
    await expect.element(button).toHaveFocus();
    expect(document.body.textContent).not.toContain(rate.says[0]);
  },
);

it.each([true, false])('closes by a press elsewhere (Popover API: %s)', async (there) => {
  popovers.there = there;
  await openSettings();
  await button.click();
  await expect.element(card).toBeVisible();
  await page.getByRole('heading', { level: 1 }).click();
  await expect.element(button).toHaveAttribute('aria-expanded', 'false');
});

it('stands in the window, and leads to all words', async () => {
  await openSettings();
  await button.click();
  await expect.element(card).toBeVisible();
  const { left, right, top, bottom } = card.element().getBoundingClientRect();
  expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
  expect(right).toBeLessThanOrEqual(innerWidth);
  expect(bottom).toBeLessThanOrEqual(innerHeight);
  await expect
    .element(card.getByRole('link', { name: 'All words' }))
    .toHaveAttribute('href', '#/words/learning-rate');
});

it('can be pressed: 24 px for a pointer', async () => {
  await openSettings();
  const all = [...document.querySelectorAll('button[aria-label^="What is"]')];
  expect(all.length).toBeGreaterThan(25);
  for (const each of all) {
    if (!each.checkVisibility()) continue;
    const { width, height } = each.getBoundingClientRect();
    expect(Math.min(width, height), each.getAttribute('aria-label')!).toBeGreaterThanOrEqual(24);
  }
});

it('says what a rule does beside its two ways', async () => {
  await openSettings();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const ways = page.getByRole('radiogroup', { name: 'do' });
  await expect.element(ways.getByRole('radio', { name: 'turn them' })).toBeChecked();
  await page.getByRole('button', { name: `What is “${wordOf('rule-does').term}”?` }).click();
  await expect.element(page.getByRole('note', { name: wordOf('rule-does').term })).toBeVisible();
  expect(await violations()).toEqual([]);
});
