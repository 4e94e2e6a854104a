/** @file The debug view with a trainer that needs no worker. */
import { afterEach, expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { FakeTrainer } from '#src/app/testing/fakeTrainer.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open as openPage, violations } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 4 } };
const open = async (debug: boolean) => {
  const opened = await openPage({}, job, debug);
  await opened.lab.wakeUp();
  return opened;
};

afterEach(() => vi.restoreAllMocks());

it('is there only where it is asked for', async () => {
  const { lab, trainer } = await open(false);
  const asked = vi.spyOn(trainer, 'debug');
  await lab.training.start();
  await expect
    .element(page.getByRole('heading', { name: /^Trained \d steps?: too few to tell$/ }))
    .toBeVisible();
  expect(page.getByRole('heading', { name: 'This run in figures' }).elements()).toEqual([]);
  expect(asked).not.toHaveBeenCalled();
});

it('says that there is nothing yet', async () => {
  vi.spyOn(FakeTrainer.prototype, 'debug').mockResolvedValue({ ok: true, value: null });
  await open(true);
  await expect.element(page.getByText(/Nothing was made ready yet/)).toBeVisible();
});

it('says what the run is made of, where it runs, how long and in how much memory', async () => {
  const { lab } = await open(true);
  await lab.training.start();
  const cells = (name: string) =>
    [...page.getByRole('region', { name, exact: true }).element().querySelectorAll('tbody tr')].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
  await expect.element(page.getByRole('heading', { name: 'Memory' })).toBeVisible();
  expect(cells('Stages')[1]).toEqual(['backward', '1\u2009200', '140', '6', '310, 11 MB', '133', '330 MB']);
  expect(cells('Operators')[0]).toEqual(['Mul', '640']);
  expect(cells('On another device')).toEqual([['Pad', '1', 'CPU', 'WebGPU has no kernel for this Pad.']]);
  expect(cells('Where it went').map(([name]) => name)).toEqual(['train', 'compile', 'load']);
  expect(cells('Estimated and measured')).toContainEqual(['WebAssembly heap', '–', '402 MB']);
  await expect.element(page.getByText('A step, median')).toBeVisible();
});

it.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 360],
  ['dark', 360],
])(
  'can be read by everybody, %s at %i pixels, and never scrolls the page sideways',
  async (scheme, width) => {
    await page.viewport(width, 800);
    document.documentElement.style.colorScheme = scheme;
    const { lab } = await open(true);
    await lab.training.start();
    await expect.element(page.getByRole('heading', { name: 'Memory' })).toBeVisible();
    expect(await violations()).toEqual([]);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    document.documentElement.style.colorScheme = '';
  },
);

it('can be copied whole', async () => {
  const copy = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
  const { lab } = await open(true);
  await lab.training.start();
  await page.getByRole('button', { name: 'Copy all' }).click();
  await expect.element(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  const [text = ''] = copy.mock.calls[0] ?? [];
  for (const part of ['— Graph', '— Placement', '— Time', '— Memory', 'com.microsoft::FusedMatMul\t12'])
    expect(text).toContain(part);
});
