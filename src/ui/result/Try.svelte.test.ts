/** @file Trying a finished run with things of one's own: texts, files, drops and the camera; before beside after. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { AskRequest, JudgedExample, Said } from '#workers/protocol.ts';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import { drawDisc } from '#src/app/testing/fakeTrainer.ts';
import { toSource } from '#src/app/data/picked.ts';
import { open as openPage, violations } from '../testing/open.ts';

afterEach(() => vi.restoreAllMocks());

const examples: readonly JudgedExample[] = [
  { name: 'sun/1.png', is: 'sun', says: 'moon', share: 0.9 },
  { name: 'moon/2.png', is: 'moon', says: 'moon', share: 0.8 },
];
const says: FakeOptions['says'] = {
  prompts: ['moon/2.png'],
  words: () => 'moon 80 %',
  judged: () => ({
    metrics: [{ name: 'accuracy', value: 0.5, unit: 'share', better: 'higher' }],
    examples,
  }),
};

/** A finished run of a task. */
async function finished(task: string, options: FakeOptions = {}) {
  const opened = await openPage({ says, ...options });
  const { lab, trainer } = opened;
  await lab.wakeUp();
  lab.draft.setJob(jobFromTable({ task, train: { steps: 8 } }));
  await lab.training.start();
  await expect.element(page.getByRole('heading', { name: 'Try it' })).toBeVisible();
  const asked: AskRequest[] = [];
  const ask = trainer.ask.bind(trainer);
  trainer.ask = (request) => {
    asked.push(request);
    return ask(request);
  };
  return { ...opened, asked };
}

const namesOf = ({ given }: AskRequest) =>
  given?.kind === 'files' ? given.files.map(({ path }) => path) : [];

describe('texts', () => {
  it('are named by the untouched and by the tuned model, at a strength', async () => {
    const { asked } = await finished('text-classification');
    await page.getByLabelText('What to name').fill('Where is my parcel?');
    await userEvent.keyboard('{Enter}');
    const bar = page.getByRole('listitem').filter({ hasText: 'fox' }).last();
    await expect.element(bar).toHaveTextContent(/untouched 20\s%\s*tuned 80\s%/);
    await expect.element(page.getByRole('status').filter({ hasText: 'fox' })).toBeInTheDocument();
    expect(await violations()).toEqual([]);
    (page.getByRole('slider', { name: 'Strength' }).element() as HTMLElement).focus();
    await userEvent.keyboard('{Home}');
    await expect.poll(() => asked.map(({ strengths }) => strengths)).toEqual([[0, 1], [-0.5]]);
    await expect.element(bar).toHaveTextContent(/untouched 20\s%\s*tuned 20\s%/);
  });

  it('go on from where the prompt ends', async () => {
    const answers = (names: readonly string[], strength: number): Said => ({
      strength,
      items: names.map((name) => ({ name, text: strength > 0.5 ? ' there be pirates' : ' there was' })),
    });
    await finished('language', { answers });
    await page.getByLabelText('How the text begins, or a question').fill('Once');
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect.element(page.getByText('Once there be pirates')).toBeVisible();
    await expect.element(page.getByText('Once there was')).toBeVisible();
  });
});

describe('pictures', () => {
  const picture = new File(['x'], 'mine.png', { type: 'image/png' });

  it('are chosen or dropped on it; one that cannot be read says why', async () => {
    const answers = (names: readonly string[], strength: number): Said => ({
      strength,
      items: names.map((name) =>
        name === 'notes.png'
          ? { name, unread: 'it is empty' }
          : { name, picture: drawDisc(1, strength, 1), shares: [{ name: 'moon', share: 1 }] },
      ),
    });
    const { asked } = await finished('image-classification', { answers });
    const input = document.querySelector<HTMLInputElement>('input[type=file][accept="image/*"]')!;
    await userEvent.upload(input, picture);
    await expect.element(page.getByRole('img', { name: 'mine.png' })).toBeVisible();
    expect(await violations()).toEqual([]);

    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(picture);
    dataTransfer.items.add(new File([''], 'notes.png', { type: 'image/png' }));
    const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
    page.getByRole('heading', { name: 'Try it' }).element().dispatchEvent(drop);
    expect(drop.defaultPrevented).toBe(true);
    await expect.element(page.getByText('notes.png could not be read: it is empty.')).toBeVisible();
    expect(asked.map(namesOf)).toEqual([['mine.png'], ['mine.png', 'notes.png']]);
  });

  it('come from the camera, one in flight, and no longer than it is wanted', async () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d')!.fillRect(0, 0, 10, 10);
    const stream = canvas.captureStream(10);
    const paint = setInterval(() => canvas.getContext('2d')!.fillRect(0, 0, Math.random() * 90, 20), 40);
    vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockResolvedValue(stream);
    const { asked } = await finished('image-classification');
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await expect.poll(() => asked.length).toBeGreaterThan(2);
    expect(namesOf(asked[0]!)).toEqual(['camera.png']);
    const given = asked[0]!.given!;
    const [file] = given.kind === 'files' ? given.files : [];
    const frame = await createImageBitmap(file!.blob);
    expect([frame.width, frame.height]).toEqual([canvas.width, canvas.height]);
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    clearInterval(paint);
    expect(stream.getTracks().every(({ readyState }) => readyState === 'ended')).toBe(true);
  });

  it('without leave to use the camera the way out is said', async () => {
    vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockRejectedValue(
      new DOMException('no', 'NotAllowedError'),
    );
    await finished('image-classification');
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await expect.element(page.getByText('This page may not use the camera.').first()).toBeVisible();
    await expect.element(page.getByText('Or choose a picture.').first()).toBeVisible();
  });

  it('a camera that is taken away is said so, and asked no more', async () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d')!.fillRect(0, 0, 10, 10);
    const stream = canvas.captureStream(10);
    vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockResolvedValue(stream);
    const { asked } = await finished('image-classification');
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    // A track that is stopped from outside says so; one that the page stops does not.
    stream.getVideoTracks()[0]!.dispatchEvent(new Event('ended'));
    await expect.element(page.getByText('Another program or tab is using the camera.').first()).toBeVisible();
    await expect.poll(() => stream.getTracks().map(({ readyState }) => readyState)).toEqual(['ended']);
  });
});

it('arrays come back as files of what both models make of them', async () => {
  const arrays = [{ name: 'y', type: 'float32', shape: [4, 2] }];
  const answers = (_: readonly string[], strength: number): Said => ({
    strength,
    items: [],
    arrays,
    npz: new Uint8Array([strength]),
  });
  await finished('generic', { answers });
  const input = document.querySelector<HTMLInputElement>('input[type=file][accept*=".npz"]')!;
  await userEvent.upload(input, new File(['x'], 'x.npz'));
  await expect.element(page.getByText('y [4, 2]')).toBeVisible();
  const link = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
  await page.getByRole('button', { name: 'Save the tuned outputs' }).click();
  expect((link.mock.contexts[0] as HTMLAnchorElement).download).toBe('outputs-tuned.npz');
});

it('held-out examples are marked one by one, the wrong ones first', async () => {
  await finished('image-classification');
  const region = page.getByRole('region', { name: 'Held-out examples' });
  await expect.element(region.getByText(/1 wrong, .*1 right/)).toBeVisible();
  const rows = region.getByRole('listitem');
  await expect.element(rows.first()).toHaveTextContent(/sun\/1\.png.*is sun, says moon/);
  await expect.element(rows.first().getByRole('img', { name: 'Wrong' })).toBeVisible();
  await expect.element(rows.last().getByRole('img', { name: 'Right' })).toBeVisible();
  expect(await violations()).toEqual([]);
});

it('an adapter on trial is tried by its own task, without another run’s wall and measures', async () => {
  const { lab } = await finished('image-classification');
  lab.draft.pick({ adapter: toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]) });
  await lab.trial.open();
  await expect.element(page.getByRole('heading', { name: 'style.safetensors' })).toBeVisible();
  await expect.element(page.getByRole('heading', { name: 'Try it' })).toBeVisible();
  expect(page.getByRole('region', { name: 'Held-out examples' }).elements()).toEqual([]);
  expect(page.getByRole('grid', { name: 'Samples' }).elements()).toEqual([]);
});
