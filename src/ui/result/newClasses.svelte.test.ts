/** @file A model with a new last layer has nothing to compare with: wherever before stands beside after, it says so, and shows no guess. */
import { expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { AskRequest } from '#workers/protocol.ts';
import { open, violations } from '../testing/open.ts';

const says = {
  prompts: ['Where is it?'],
  words: (_: number, amount: number) => (amount > 0.5 ? 'question 91 %' : 'thanks 40 %'),
  judged: (amount: number) => ({
    metrics: [{ name: 'accuracy', value: 0.3 + 0.6 * amount, unit: 'share', better: 'higher' } as const],
  }),
};

async function finished(task: string, whole: readonly string[]) {
  const opened = await open({ says, whole });
  const { lab, trainer } = opened;
  lab.draft.setJob(jobFromTable({ task, train: { steps: 8 }, sample: { every: 4 } }));
  await lab.training.start();
  const asked: AskRequest[] = [];
  const ask = trainer.ask.bind(trainer);
  trainer.ask = (request) => {
    asked.push(request);
    return ask(request);
  };
  await expect.element(page.getByRole('heading', { name: 'Try it' })).toBeVisible();
  return { ...opened, asked };
}

const rows = () =>
  [...document.querySelectorAll('[role=grid] tbody th')].map((each) => each.textContent.trim());

it('the result has a headline, a wall and measures without a before', async () => {
  await finished('text-classification', ['head.weight']);
  await expect.element(page.getByRole('heading', { level: 1 })).toHaveTextContent(/^Accuracy is 90\s%$/);
  await expect.element(page.getByText(/does not know these classes/).first()).toBeVisible();
  expect(rows()).toEqual(['Step 8', 'Step 4']);
  await expect.element(page.getByText('thanks', { exact: false })).not.toBeInTheDocument();
  const judged = page.getByRole('region', { name: 'On data it never saw' });
  await expect.element(judged).toHaveTextContent(/90\s%/);
  await expect.element(judged).not.toHaveTextContent('→');
  expect(await violations()).toEqual([]);
});

it('the untouched model is asked nothing, and has no bar; at strength 0 there is no answer', async () => {
  const { asked } = await finished('text-classification', ['head.weight']);
  await page.getByLabelText('What to name').fill('Where is my parcel?');
  await userEvent.keyboard('{Enter}');
  const bar = page.getByRole('listitem').filter({ hasText: 'fox' }).last();
  await expect.element(bar).toHaveTextContent(/tuned 80\s%/);
  await expect.element(bar).not.toHaveTextContent('untouched');
  const slider = page.getByRole('slider', { name: 'Strength' });
  await slider.fill('0');
  await expect.element(bar).not.toBeInTheDocument();
  await expect.element(slider).toBeVisible();
  await slider.fill('1');
  await expect.element(bar).toHaveTextContent(/tuned 80\s%/);
  expect(asked.flatMap(({ strengths }) => strengths)).toEqual([1]);
  expect(await violations()).toEqual([]);
});

it('a model that keeps its classes is compared', async () => {
  await finished('text-classification', []);
  await expect.element(page.getByRole('heading', { level: 1 })).toHaveTextContent(/^Held-out loss fell/);
  expect(rows()).toEqual(['Untouched', 'Step 8', 'Step 4']);
  await expect.element(page.getByText('does not know these classes')).not.toBeInTheDocument();
});
