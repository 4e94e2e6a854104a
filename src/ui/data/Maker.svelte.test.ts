/** @file Data made on the page: pictures, classes and texts are added, changed, undone, and become the job's data. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import type { FileSource } from '#src/app/data/content.ts';
import type { Remark } from '#workers/protocol.ts';
import { open as openPage, violations } from '../testing/open.ts';

async function png(colour: string, size = 40): Promise<Blob> {
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext('2d')!;
  context.fillStyle = colour;
  context.fillRect(0, 0, size, size);
  return canvas.convertToBlob();
}
const pictures = (n: number, at = 0) =>
  Promise.all(
    Array.from({ length: n }, async (_, i) => {
      const name = `IMG_${2000 + at + i}.png`;
      return new File([await png(`hsl(${(at + i) * 40} 70% 50%)`)], name, { type: 'image/png' });
    }),
  );

async function prepare(task: string, options: FakeOptions = {}) {
  const opened = await openPage(options, jobFromTable({ task }));
  opened.lab.go('new');
  await page.getByRole('button', { name: 'Make your own' }).click();
  return opened;
}
const own = () => page.getByRole('group', { name: 'Your own data' });
/** The list that goes with the data. */
async function rows(source: FileSource | null): Promise<unknown[]> {
  const list = source?.files.find(({ path }) => path.endsWith('.jsonl'));
  return ((await list?.blob.text()) ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}
const given = (draft: { train: unknown }) => draft.train as FileSource | null;

afterEach(() => vi.restoreAllMocks());

describe('pictures', () => {
  it('are added, captioned in place and all at once, removed, and all of it undone', async () => {
    const { lab } = await prepare('diffusion');
    await page.getByLabelText('Add pictures').upload(await pictures(3));
    await expect.element(page.getByRole('status').getByText('3 pictures')).toBeVisible();
    expect(given(lab.draft)?.files.map(({ path }) => path)).toEqual([
      'IMG_2000.png',
      'IMG_2001.png',
      'IMG_2002.png',
    ]);
    await page.getByLabelText('Caption of picture 1').fill('a red square');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByLabelText('Caption of picture 2')).toHaveFocus();
    await expect
      .poll(() => rows(given(lab.draft)))
      .toEqual([{ file_name: 'IMG_2000.png', text: 'a red square' }]);
    await page.getByLabelText('Words for all of them').fill('paint');
    await page.getByRole('button', { name: 'In front of all' }).click();
    await expect
      .poll(async () => (await rows(given(lab.draft))).map((row) => (row as { text: string }).text))
      .toEqual(['paint a red square', 'paint', 'paint']);
    await page.getByRole('button', { name: 'Remove picture 2' }).click();
    await expect.poll(() => given(lab.draft)?.files).toHaveLength(3);
    expect(await violations()).toEqual([]);
    for (let i = 0; i < 3; i++) await own().getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => rows(given(lab.draft))).toEqual([]);
    expect(given(lab.draft)?.files).toHaveLength(3);
    await own().getByRole('button', { name: 'Redo' }).click();
    await expect.poll(() => rows(given(lab.draft))).toHaveLength(1);
  });

  it('are given the same words where a remark says that they have none', async () => {
    const remark: Remark = {
      severity: 'warning',
      code: 'bad-data',
      kind: 'no-caption',
      message: '2 images have no caption.',
      item: 'IMG_2000.png',
      items: ['IMG_2000.png', 'IMG_2001.png'],
      listed: ['IMG_2000.png has no caption. Write one into IMG_2000.txt.'],
    };
    const { lab } = await prepare('diffusion', { problems: [remark] });
    await page.getByLabelText('Add pictures').upload(await pictures(2));
    await expect.element(page.getByText('2 pictures have no caption.')).toBeVisible();
    expect(document.querySelector('#remarks')?.textContent).not.toContain('.txt');
    await page.getByLabelText('Words for those without').fill('squares');
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => rows(given(lab.draft))).toHaveLength(2);
  });

  it('are shown a part at a time, and decoded as they come into view', async () => {
    const decoded = vi.spyOn(globalThis, 'createImageBitmap');
    await prepare('diffusion');
    const [one] = await pictures(1);
    const transfer = new DataTransfer();
    for (let i = 0; i < 1000; i++) transfer.items.add(new File([one!], `${i}.png`, { type: 'image/png' }));
    const input = page.getByLabelText('Add pictures').element() as HTMLInputElement;
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    await expect.element(page.getByRole('status').getByText('1000 pictures')).toBeVisible();
    const shown = () => document.querySelectorAll('textarea').length;
    expect(shown()).toBeLessThan(150);
    const list = page.getByRole('list', { name: 'Pictures' }).element();
    // What stands above may still grow, and push it out of view.
    await expect
      .poll(() => {
        list.scrollIntoView();
        return decoded.mock.calls.length;
      })
      .toBeGreaterThan(3);
    expect(decoded.mock.calls.length).toBeLessThan(150);
    const before = shown();
    page
      .getByRole('button', { name: /^\d+ more$/ })
      .element()
      .scrollIntoView();
    await expect.poll(shown).toBeGreaterThan(before);
  });
});

describe('files with something wrong in them', () => {
  const row: Remark = {
    severity: 'error',
    code: 'bad-data',
    kind: 'wrong-row',
    message: 'm.csv, row 3: there is no image "none.png".',
    item: 'm.csv',
    items: ['m.csv'],
  };
  const table = (name: string, words: string) => new File([words], name);

  it('are shown as far as they can be read, and gone on with without the rest', async () => {
    const { lab } = await prepare('diffusion', { problems: [row] });
    const [one] = await pictures(1);
    await page
      .getByLabelText('a zip or other files')
      .upload([one!, table('metadata.csv', 'file_name,text\nIMG_2000.png,a fox\nnone.png,an owl\n')]);
    await expect.element(page.getByLabelText('Caption of picture 1')).toHaveValue('a fox');
    expect(given(lab.draft)?.files.map(({ path }) => path)).toContain('metadata.csv');
    await page.getByRole('button', { name: 'Go on without it' }).click();
    expect(given(lab.draft)?.files.map(({ path }) => path)).not.toContain('metadata.csv');
    expect(await rows(given(lab.draft))).toEqual([{ file_name: 'IMG_2000.png', text: 'a fox' }]);
  });

  it('say by two choices which columns hold what', async () => {
    const remark: Remark = {
      ...row,
      kind: 'no-column',
      message: 'It has no column for the text.',
      items: ['who', 'what'],
    };
    const { lab } = await prepare('text-classification', { problems: [remark] });
    await page.getByLabelText('Add files').first().upload(table('train.csv', 'who,what\nhi,x\nyo,y\n'));
    await page.getByLabelText('The text').selectOptions('who');
    await page.getByLabelText('The label').selectOptions('what');
    await page.getByRole('button', { name: 'Use these' }).click();
    expect(lab.draft.job.options).toMatchObject({ column: 'who', labelColumn: 'what' });
    await expect.element(page.getByLabelText('Text 2', { exact: true })).toHaveValue('yo');
    await expect.element(page.getByLabelText('Label 1')).toHaveValue('x');
    expect(await violations()).toEqual([]);
  });

  it('say in which order a model has its classes', async () => {
    const remark: Remark = {
      ...row,
      severity: 'warning',
      kind: 'class-order',
      message: 'The model does not say its classes.',
      items: ['cat', 'dog'],
    };
    const { lab } = await prepare('image-classification', { problems: [remark] });
    await page.getByLabelText('Add pictures to sort').upload(await pictures(2));
    await page.getByRole('button', { name: 'Move dog up' }).click();
    await page.getByRole('button', { name: 'Take them in this order' }).click();
    expect(lab.draft.job.options.classNames).toBe('dog; cat');
    expect(await violations()).toEqual([]);
  });

  it('keep what they hold out themselves, when they are changed', async () => {
    const { lab } = await prepare('text-classification');
    await page
      .getByLabelText('Add files')
      .first()
      .upload([table('train.csv', 'text,label\na,x\nb,y\n'), table('test.csv', 'text,label\nc,x\n')]);
    await page.getByLabelText('Text 1', { exact: true }).fill('another');
    await page.getByLabelText('Text 2', { exact: true }).fill('b');
    await expect.poll(() => lab.draft.job.data.heldout).toContain('held out');
    expect(await rows(given(lab.draft))).toHaveLength(2);
    expect(await rows(lab.draft.heldout as FileSource)).toEqual([{ text: 'c', label: 'x' }]);
  });
});

describe('pairs', () => {
  it('are added on either side, matched by name, in order and by hand, exchanged, removed and undone', async () => {
    const { lab } = await prepare('pairs');
    const paths = () => given(lab.draft)?.files.map(({ path }) => path);
    await page.getByLabelText('Add inputs').upload(await pictures(3));
    await page
      .getByLabelText('Add wanted pictures')
      .upload([(await pictures(1, 1))[0]!, ...(await pictures(2, 10))]);
    await expect.element(page.getByText('1 whole')).toBeVisible();
    await expect.poll(paths).toHaveLength(6);
    await page.getByRole('button', { name: 'Pair the others in order' }).click();
    await expect.element(page.getByText('3 whole')).toBeVisible();
    await expect
      .poll(paths)
      .toEqual(['input', 'target'].flatMap((side) => [0, 1, 2].map((i) => `${side}/IMG_200${i}.png`)));
    const first = () => given(lab.draft)?.files.find(({ path }) => path === 'input/IMG_2000.png')?.blob;
    const before = first();
    await page.getByRole('button', { name: 'Exchange the pictures of pair 1' }).click();
    await page.getByRole('button', { name: 'Remove pair 3' }).click();
    await expect.poll(paths).toHaveLength(4);
    expect(await violations()).toEqual([]);
    for (let i = 0; i < 2; i++) await own().getByRole('button', { name: 'Undo' }).click();
    // The first undo brings the files back, the second their sides.
    await expect.poll(first).toBe(before);
    expect(paths()).toHaveLength(6);
  });

  it('say how many have no partner, and go on without them', async () => {
    const remark: Remark = {
      ...{
        severity: 'error',
        code: 'bad-data',
        kind: 'no-target',
        message: '2 inputs have no wanted picture.',
      },
      items: ['IMG_2000.png', 'IMG_2001.png'],
    };
    const { lab } = await prepare('pairs', { problems: [remark] });
    await page.getByLabelText('Add inputs').upload(await pictures(3));
    await page.getByLabelText('Add wanted pictures').upload(await pictures(1, 2));
    await expect.element(page.getByText('2 inputs have no wanted picture.').first()).toBeVisible();
    await page.getByRole('button', { name: 'Take them out' }).click();
    await expect
      .poll(() => given(lab.draft)?.files.map(({ path }) => path))
      .toEqual(['input/IMG_2002.png', 'target/IMG_2002.png']);
  });
});

describe('classes', () => {
  it('are bins with names, filled, renamed, and sorted by "Move to"', async () => {
    const { lab } = await prepare('image-classification');
    const bin = (name: string) => page.getByRole('region', { name, exact: true });
    await bin('Class 1')
      .getByLabelText('Add pictures')
      .upload(await pictures(3));
    await expect.element(bin('Class 1').getByText('3 pictures')).toBeVisible();
    await bin('Class 2').getByLabelText('Name of the class').fill('ripe');
    await userEvent.keyboard('{Enter}');
    await bin('Class 1').getByRole('button', { name: 'Picture 2 of Class 1' }).click();
    await page.getByLabelText('Move to').selectOptions('ripe');
    await expect.element(bin('ripe').getByText('1 picture')).toBeVisible();
    await expect
      .poll(() => rows(given(lab.draft)))
      .toEqual([
        { file_name: 'IMG_2000.png', label: 'Class 1' },
        { file_name: 'IMG_2001.png', label: 'ripe' },
        { file_name: 'IMG_2002.png', label: 'Class 1' },
      ]);
    await page.getByRole('button', { name: 'Add a class' }).click();
    await bin('Class 3')
      .getByRole('button', { name: /^Remove class/ })
      .click();
    await expect.element(bin('Class 3')).not.toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('are drawn: the sheet’s pictures are those of its class, gone and back with undo and redo', async () => {
    const { lab } = await prepare('image-classification');
    const second = page.getByRole('region', { name: 'Class 2' });
    await second.getByRole('button', { name: 'Draw' }).click();
    /** A stroke from one side to the other, at a height of so much of the sheet. */
    const stroke = (at: number) => {
      const sheet = document.querySelector<HTMLElement>('[role=application]')!;
      sheet.setPointerCapture = () => undefined;
      sheet.hasPointerCapture = () => true;
      const { left, top, width, height } = sheet.getBoundingClientRect();
      for (const [kind, x] of [
        ['pointerdown', 0.2],
        ['pointermove', 0.8],
        ['pointerup', 0.8],
      ] as const)
        sheet.dispatchEvent(
          new PointerEvent(kind, {
            ...{ pointerId: 1, isPrimary: true, bubbles: true },
            ...{ clientX: left + x * width, clientY: top + at * height },
          }),
        );
    };
    const listed = async () => (await rows(given(lab.draft))) as { file_name: string; label: string }[];
    await expect.element(page.getByRole('application')).toBeVisible();
    expect(document.body.textContent).not.toContain('What it shows');
    stroke(0.3);
    await expect.poll(listed).toEqual([{ file_name: 'drawn/1.png', label: 'Class 2' }]);
    await second.getByRole('button', { name: 'New drawing' }).click();
    stroke(0.6);
    await expect.poll(listed).toHaveLength(2);
    await expect.element(second.getByRole('button', { name: 'Picture 2 of Class 2' })).toBeVisible();
    expect(await violations()).toEqual([]);
    await own().getByRole('button', { name: 'Undo' }).first().click();
    await expect.element(page.getByText('0 pictures').first()).toBeVisible();
    await own().getByRole('button', { name: 'Redo' }).first().click();
    // What came back is on the sheet's strip, too: the next stroke loses none of it.
    await expect.element(second.getByRole('button', { name: 'Drawing 2 of 2' })).toBeVisible();
    stroke(0.8);
    await expect.poll(listed).toHaveLength(2);
  });

  it('take pictures that came without folders, by a drag too', async () => {
    const { lab } = await prepare('image-classification');
    await page.getByLabelText('Add pictures to sort').upload(await pictures(2));
    const loose = page.getByRole('region', { name: 'In no class yet' });
    await expect.element(loose.getByText('2 pictures')).toBeVisible();
    // A drag by mouse would miss what moves under it as the page grows.
    const dataTransfer = new DataTransfer();
    const drag = (type: string) => new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer });
    loose.getByRole('button', { name: 'Picture 1 of no class' }).element().dispatchEvent(drag('dragstart'));
    const bin = page.getByRole('region', { name: 'Class 1', exact: true });
    for (const type of ['dragover', 'drop']) bin.element().dispatchEvent(drag(type));
    await expect.element(loose.getByText('1 picture')).toBeVisible();
    // What is in no class is left out.
    await expect
      .poll(() => rows(given(lab.draft)))
      .toEqual([{ file_name: 'IMG_2000.png', label: 'Class 1' }]);
    await expect.poll(() => given(lab.draft)?.files).toHaveLength(2);
  });
});

describe('texts', () => {
  it('are pasted as lines and labelled by keys', async () => {
    const { lab } = await prepare('text-classification');
    await page.getByLabelText('Type or paste texts to sort').fill('so good\nso bad\nfine');
    await page.getByRole('button', { name: 'Add them' }).click();
    for (const label of ['praise', 'complaint']) {
      await page.getByLabelText('New label').fill(label);
      await page.getByRole('button', { name: 'Add a label' }).click();
    }
    (page.getByLabelText('Label of text 1').element() as HTMLElement).focus();
    await userEvent.keyboard('12');
    await expect.element(page.getByLabelText('Label of text 3')).toHaveFocus();
    await expect
      .poll(() => rows(given(lab.draft)))
      .toEqual([
        { text: 'so good', label: 'praise' },
        { text: 'so bad', label: 'complaint' },
      ]);
    expect(await violations()).toEqual([]);
  });

  it('are pasted as a table', async () => {
    const { lab } = await prepare('text-classification');
    await page.getByLabelText('Type or paste texts to sort').fill('text\tlabel\nso good\tyes\nso bad\tno');
    await page.getByRole('button', { name: 'Add them' }).click();
    await expect.poll(() => rows(given(lab.draft))).toHaveLength(2);
    await expect.element(page.getByLabelText('Label 2', { exact: true })).toHaveValue('no');
  });

  it('are questions beside their answers', async () => {
    const { lab } = await prepare('language');
    await page.getByRole('button', { name: 'Add a question and its answer' }).click();
    await page.getByLabelText('What a person says 1').fill('Who are you?');
    await page.getByLabelText('The answer 1').fill('A small model.');
    await userEvent.keyboard('{Tab}');
    await expect
      .poll(() => rows(given(lab.draft)))
      .toEqual([{ prompt: 'Who are you?', completion: 'A small model.' }]);
    expect(await violations()).toEqual([]);
  });
});

describe('the camera', () => {
  it.each([
    ['NotAllowedError', 'This page may not use the camera.'],
    ['NotFoundError', 'There is no camera here.'],
    ['NotReadableError', 'Another program or tab is using the camera.'],
  ])('says what is the matter: %s', async (name, words) => {
    vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockRejectedValue(new DOMException('no', name));
    await prepare('diffusion');
    await page.getByRole('button', { name: 'Camera' }).click();
    await expect.element(page.getByRole('alert')).toHaveTextContent(words);
    await expect.element(page.getByRole('button', { name: 'Try again' })).toBeVisible();
  });

  it('takes a picture at a press, keeps no other, and is let go of', async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 240];
    const context = canvas.getContext('2d')!;
    const paint = setInterval(() => {
      context.fillStyle = `hsl(${performance.now() % 360} 70% 50%)`;
      context.fillRect(0, 0, 320, 240);
    }, 50);
    const stream = canvas.captureStream(20);
    vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockResolvedValue(stream);
    const { lab } = await prepare('diffusion');
    await page.getByRole('button', { name: 'Camera' }).click();
    const take = page.getByRole('button', { name: 'Hold to take pictures' });
    await expect.element(take).toBeEnabled();
    await expect.poll(() => document.querySelector('video')?.videoWidth).toBe(320);
    expect(lab.draft.train).toBeNull();
    await take.click();
    await expect.element(page.getByText('1 taken')).toBeVisible();
    await expect.poll(() => given(lab.draft)?.files).toHaveLength(1);
    await page.getByRole('button', { name: 'Close the camera' }).click();
    await expect.poll(() => stream.getVideoTracks()[0]?.readyState).toBe('ended');
    clearInterval(paint);
  });
});
