/** @file Files that cannot be used: each is refused in words that name it, and nothing is left half done. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import type { FileInput, RunOptions } from '#src/app/page/automation.ts';
import { fault, saysWayOut } from '../golden/messages/plain.ts';
import { expect, test } from '../pages/test.ts';

const MODEL = 'public/models/emoji';
const { files } = JSON.parse(readFileSync(`${MODEL}/files.json`, 'utf8')) as { files: { path: string }[] };
const goodModel: FileInput[] = files.map(({ path }) => ({ path, url: `models/emoji/${path}` }));
const unet = readFileSync(`${MODEL}/unet/model.onnx`);
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const picture = base64(readFileSync('public/data/high-contrast/train/' + firstPicture()));

function firstPicture(): string {
  const list = JSON.parse(readFileSync('public/data/high-contrast/files.json', 'utf8')) as {
    files: { path: string }[];
  };
  const found = list.files.find(({ path }) => /^train\/.*\.png$/.test(path));
  if (!found) throw new Error('There is no built-in picture.');
  return found.path.slice('train/'.length);
}

/** The good model with one file replaced, or left out (null). */
function modelWith(path: string, content: string | null): RunOptions['model'] {
  const others = goodModel.filter((file) => file.path !== path);
  return { name: 'mine', files: content === null ? others : [...others, { path, base64: content }] };
}

const pictures = (...list: { path: string; base64: string }[]): RunOptions['train'] => ({
  name: 'pictures',
  files: list,
});

const cases: [string, RunOptions, RegExp][] = [
  [
    'a truncated model',
    { model: modelWith('unet/model.onnx', base64(unet.subarray(0, 200_000))) },
    /unet\/model\.onnx/,
  ],
  [
    'a model that is no ONNX',
    { model: modelWith('unet/model.onnx', base64('GIF89a, surely')) },
    /unet\/model\.onnx/,
  ],
  ['a model folder without its network', { model: modelWith('unet/model.onnx', null) }, /unet/],
  ['a model folder without a tokenizer', { model: modelWith('tokenizer/tokenizer.json', null) }, /tokenizer/],
  ['a plan that skips every layer', { job: '[[plan.rule]]\nmatch = {}\nskip = true\n' }, /layer/],
  [
    'a folder with no image',
    { train: pictures({ path: 'note.txt', base64: base64('hello') }) },
    /image|picture/,
  ],
  [
    'an image that cannot be read',
    {
      train: pictures(
        { path: 'a.png', base64: picture },
        { path: 'broken.png', base64: base64('no picture') },
      ),
    },
    /broken\.png/,
  ],
  ['a job with an unknown key', { job: '[train]\nlearning_rat = 1e-3\n' }, /learning_rat\b.*learning_rate/s],
  ['a job with an impossible value', { job: '[train]\nbatch = -4\n' }, /batch.*-4/s],
];

test('what cannot be used is refused by name, and the page is still good for a run', async ({
  rotune,
  page,
}) => {
  await rotune.open();
  for (const [name, options, words] of cases) await test.step(name, () => refuses(page, options, words));
});

async function refuses(page: Page, options: RunOptions, words: RegExp): Promise<void> {
  const outcome = await page.evaluate((given) => globalThis.rotune!.prepare(given), options as never);
  const problems = outcome.ok
    ? outcome.value.problems.filter(({ severity }) => severity === 'error')
    : [outcome.problem];
  expect(problems).not.toEqual([]);
  const text = problems.map(({ message, item, cure }) => [message, item, cure].join(' ')).join('\n');
  expect(text).toMatch(words);
  expect(text).not.toMatch(/undefined|\bat .*\.js:\d+|TypeError/);
  for (const { message, cure } of problems) {
    expect(fault(message), message).toBeNull();
    expect(cure !== undefined || saysWayOut(message), message).toBe(true);
  }
  const after = await page.evaluate(() => globalThis.rotune!.prepare());
  expect(after).toMatchObject({ ok: true });
}

test('picked pictures that cannot be used are said so beside the Start button', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.beginWith('Pictures or drawings').click();
  await page
    .getByLabel('Add pictures')
    .first()
    .setInputFiles({ name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await expect(page.getByText(/broken\.png/).first()).toBeVisible();
  await expect(page.getByRole('button', { name: /^Start/ })).toBeDisabled();
});
