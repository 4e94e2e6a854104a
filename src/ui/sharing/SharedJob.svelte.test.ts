/** @file A job that a link brought: what comes of it, how long it takes here, and that nothing is loaded or set before it is asked for. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { open, violations } from '../testing/open.ts';

/** A build of which all is here but the model of icons. */
const sizes = {
  runtime: { wasm: 0, jspi: 0, webgpu: 0 },
  folders: { 'models/emoji': 5_000_000 },
  code: 0,
};
const shared = page.getByRole('region', { name: 'Someone shared a job with you' });

beforeEach(() => {
  const original = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const address = input instanceof Request ? input.url : input.toString();
    return address.endsWith('/sizes.json')
      ? Promise.resolve(new Response(JSON.stringify(sizes)))
      : original(input, init);
  });
});
afterEach(() => vi.restoreAllMocks());

/** The page with a shared job, and the device known. `held`: the first timing ends by being cancelled alone. */
async function show(table: object, held = false) {
  const opened = await open();
  const prepare = vi.spyOn(opened.trainer, 'prepare');
  const cancel = vi.spyOn(opened.trainer, 'cancelPreparation');
  if (held)
    prepare.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          const problem = { code: 'cancelled', message: 'Cancelled.' } as const;
          cancel.mockImplementation(() => {
            resolve({ ok: false, problem });
            return Promise.resolve();
          });
        }),
    );
  await opened.lab.device.look();
  const job = jobFromTable(table);
  opened.lab.shared.show(job);
  return { ...opened, job, prepare, cancel };
}

it('shows pictures, a sentence, an estimate and what is loaded, and no settings', async () => {
  const { prepare, lab } = await show({ train: { steps: 6 }, sample: { every: 0 } });
  await expect.element(shared.getByRole('img', { name: /^Above what it draws untouched/ })).toBeVisible();
  await expect.element(shared.getByText('It loads 5 MB first.')).toBeVisible();
  await expect.element(shared.getByText(/learns to print them in black and vermilion/)).toBeVisible();
  await expect.element(shared.getByText('This job has others.', { exact: false })).toBeVisible();
  await expect
    .element(shared.getByRole('status'))
    .toHaveTextContent(/^6 steps of 4 images: (a few seconds|about .*) on this device\.$/);
  for (const setting of ['Learning rate', 'Blocks', 'Rules'])
    await expect.element(shared.getByText(setting)).not.toBeInTheDocument();
  expect(await violations()).toEqual([]);
  // Nobody asked for those 5 MB.
  expect(prepare).not.toHaveBeenCalled();
  await shared.getByRole('button', { name: 'Look at it first' }).click();
  await expect.poll(() => lab.screen).toBe('new');
  expect(lab.draft.job.train.steps).toBe(6);
});

it('times a few steps by itself where all is here, and leaves the job in the making alone', async () => {
  const { lab, job, prepare } = await show({
    task: 'text-classification',
    data: { train: 'builtin:questions/train', heldout: 'builtin:questions/heldout' },
    train: { steps: 200 },
  });
  const before = lab.draft.job;
  await expect.element(shared.getByText('place 92 %')).toBeVisible();
  await expect.element(shared.getByText('All that it needs is here already.')).toBeVisible();
  await expect.element(shared.getByRole('status')).toHaveTextContent(/: 82 s on this device\.$/);
  expect(prepare.mock.calls.map(([request, probe]) => [request.job, probe])).toEqual([[job, true]]);
  expect(lab.draft.job).toBe(before);
  expect(await violations()).toEqual([]);
});

it('says what it would teach where it is no example', async () => {
  await show({ data: { train: 'builtin:signs/train' }, train: { steps: 6 } });
  await expect.element(shared.getByRole('heading', { level: 3 })).toBeVisible();
  await expect.element(shared.getByRole('img')).not.toBeInTheDocument();
  await expect.element(shared.getByText('6 steps of 4 images')).toBeVisible();
});

it('lets go of the device when it is left', async () => {
  const { lab, cancel } = await show({ task: 'generic' }, true);
  await expect.element(shared.getByText('Timing a few steps …')).toBeVisible();
  lab.go('about');
  expect(cancel).toHaveBeenCalledOnce();
  expect(lab.shared.time.measuring).toBe(false);
});

it('lets go of it before it is started', async () => {
  const { lab, cancel, prepare } = await show({ task: 'generic', train: { steps: 3 } }, true);
  await expect.element(shared.getByText('Timing a few steps …')).toBeVisible();
  await shared.getByRole('button', { name: 'Train this' }).click();
  await expect.poll(() => lab.run.status).toBe('done');
  const [cancelled] = cancel.mock.invocationCallOrder;
  const [measured, prepared] = prepare.mock.invocationCallOrder;
  expect([measured, cancelled, prepared]).toEqual(
    [measured, cancelled, prepared].toSorted((a, b) => a! - b!),
  );
  expect(cancel).toHaveBeenCalledOnce();
});
