/** @file The glossary and About: what they say, where an address leads in them, and the foot that leads to both. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { Lab } from '#src/app/lab.svelte.ts';
import { Offline } from '#src/app/page/offline.svelte.ts';
import { MemoryBar } from '#src/app/page/router.svelte.ts';
import { FakeTrainer } from '#src/app/testing/fakeTrainer.ts';
import { words, wordOf } from '#src/app/words/glossary.ts';
import { versions } from '#src/platform/version.ts';
import { origins } from '#src/app/words/origins.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import App from '../App.svelte';
import { violations } from '../testing/open.ts';
import '../styles/base.css';

async function openAt(address: string) {
  const bar = new MemoryBar();
  const lab = new Lab(new FakeTrainer(), fakeJob, bar);
  await render(App, { lab, offline: new Offline() });
  lab.begin();
  bar.type(address);
  return { lab, bar };
}
const heading = (name: string) => page.getByRole('heading', { level: 1, name, exact: true });

it('has every word with its sentences', async () => {
  await openAt('#/words');
  await expect.element(heading('Words')).toHaveFocus();
  expect([...document.querySelectorAll('dt')].map((dt) => dt.textContent).sort()).toEqual(
    words.map(({ term }) => term).sort(),
  );
  const text = document.querySelector('main')!.textContent;
  for (const { says } of words) expect(text).toContain(says.join(' '));
  expect(document.title).toBe('Words · Rotune');
  expect(await violations()).toEqual([]);
});

it('leads to the word in the address, and from there to another', async () => {
  const { bar } = await openAt('#/words/strength');
  const term = (name: string) => page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) });
  await expect.element(term('Strength')).toHaveFocus();
  await expect.element(term('Strength')).toBeInViewport();
  bar.type('#/words/angle');
  await expect.element(term(wordOf('angle').term)).toHaveFocus();
  await expect.element(term(wordOf('angle').term)).toBeInViewport();
});

it('shows the glossary from its top for a word that there is not', async () => {
  await openAt('#/words/no-such-word');
  await expect.element(heading('Words')).toHaveFocus();
});

it('says what Rotune is, whose the built-in things are, and which keys it knows', async () => {
  await openAt('#/about');
  await expect.element(heading('About Rotune')).toHaveFocus();
  for (const { what, licence } of origins) {
    const entry = page.getByText(what, { exact: true });
    await expect.element(entry).toBeVisible();
    expect(entry.element().parentElement?.textContent).toContain(licence);
  }
  await expect
    .element(page.getByRole('link', { name: 'licences.txt' }))
    .toHaveAttribute('href', 'licences.txt');
  await expect.element(page.getByRole('heading', { name: 'Nothing leaves this device' })).toBeVisible();
  for (const said of [
    `Version ${versions.rotune}, with ONNX Runtime Web ${versions.runtime}.`,
    versions.source === '' ? 'whoever serves the page has it' : 'Its source is there for everyone',
    'their notices are in the file ThirdPartyNotices.txt',
  ])
    await expect.element(page.getByRole('main')).toHaveTextContent(said);
  expect(await violations()).toEqual([]);
});

it('is reached from the foot of every view', async () => {
  const { lab } = await openAt('#/');
  for (const screen of ['home', 'new', 'model', 'about'] as const) {
    lab.go(screen);
    const foot = page.getByRole('navigation', { name: 'About this page' });
    await expect.element(foot.getByRole('link', { name: 'Words' })).toHaveAttribute('href', '#/words');
    await expect.element(foot.getByRole('link', { name: 'About' })).toHaveAttribute('href', '#/about');
  }
});
