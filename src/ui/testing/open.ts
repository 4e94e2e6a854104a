/** @file The page with a trainer that needs no worker, and what axe has to say of it. */
import axe from 'axe-core';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { Lab } from '#src/app/lab.svelte.ts';
import { Offline } from '#src/app/page/offline.svelte.ts';
import { FakeTrainer, type FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import App from '../App.svelte';
import '../styles/base.css';

/** `debug`: as with `?debug` behind the address. */
export async function open(options: FakeOptions = {}, job: Job = fakeJob, debug = false) {
  const trainer = new FakeTrainer({ pace: 1, ...options });
  const lab = new Lab(trainer, job);
  await render(App, { lab, offline: new Offline(), debug });
  return { lab, trainer };
}

/** Unfolds all settings of a new job. */
export const openAdvanced = () => page.getByRole('heading', { name: 'Advanced' }).click();

/** WCAG 2.2 A and AA; says what is wrong and where. */
export async function violations(): Promise<string[]> {
  const { violations: found } = await axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    // The test page's own frame has neither language nor title.
    rules: { 'html-has-lang': { enabled: false }, 'document-title': { enabled: false } },
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')} ${failureSummary ?? ''}`),
  );
}
