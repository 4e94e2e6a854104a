/** @file Drawing by pointer and by keys alone, as PNG files with captions; the strip; what axe says. */
import { describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { type DrawnFile, drawingOf, pngOf } from '#src/app/data/drawingFiles.ts';
import { blank, painted, type Pixels, WHITE } from '#src/app/data/pixels.ts';
import { violations } from '../testing/open.ts';
import Draw from './Draw.svelte';

interface Given {
  readonly size?: number;
  readonly names?: readonly string[];
  readonly onion?: Blob;
  readonly drawings?: readonly DrawnFile[];
}

async function open({ size = 32, ...given }: Given = {}) {
  const heard: (readonly DrawnFile[])[] = [];
  const view = await render(Draw, { size, ...given, onchange: (drawings) => heard.push(drawings) });
  const sheet = document.querySelector<HTMLElement>('[role=application]')!;
  return { heard, sheet, view };
}

/** What the last told file of a place in the list looks like. */
const shown = async (heard: readonly (readonly DrawnFile[])[], at = 0, size = 32): Promise<Pixels> =>
  drawingOf(heard.at(-1)![at]!.blob, size);
const marked = ({ cells }: Pixels) => cells.filter((cell) => cell !== WHITE).length;

function pointer(sheet: HTMLElement, kind: string, x: number, y: number, more: PointerEventInit = {}) {
  const { left, top, width } = sheet.getBoundingClientRect();
  const cell = width / 32;
  sheet.dispatchEvent(
    new PointerEvent(kind, {
      pointerId: 1,
      isPrimary: true,
      bubbles: true,
      clientX: left + (x + 0.5) * cell,
      clientY: top + (y + 0.5) * cell,
      ...more,
    }),
  );
}

/** A pointer of the test's own is none that the browser could capture. */
function withoutCapture(sheet: HTMLElement) {
  sheet.setPointerCapture = () => undefined;
  sheet.hasPointerCapture = () => true;
}

describe('by pointer', () => {
  it('draws what goes into a PNG with its caption, opaque and of the size', async () => {
    const { heard, sheet } = await open({ names: ['fox', 'owl'] });
    withoutCapture(sheet);
    await page.getByLabelText('What it shows').fill('fox');
    pointer(sheet, 'pointerdown', 2, 2);
    pointer(sheet, 'pointermove', 9, 2);
    pointer(sheet, 'pointerup', 9, 2);
    await expect.poll(() => heard.at(-1)?.map(({ name }) => name)).toEqual(['fox']);
    const [file] = heard.at(-1)!;
    expect(file!.blob.type).toBe('image/png');
    const bitmap = await createImageBitmap(file!.blob);
    expect([bitmap.width, bitmap.height]).toEqual([32, 32]);
    const pixels = await shown(heard);
    expect(marked(pixels)).toBe(8);
    expect(pixels.cells[2 * 32 + 5]).toBe(0);
  });

  it('rubs out with a pen’s other end, and gives up at a second finger', async () => {
    const { heard, sheet } = await open();
    withoutCapture(sheet);
    pointer(sheet, 'pointerdown', 4, 4);
    pointer(sheet, 'pointermove', 8, 4);
    pointer(sheet, 'pointerup', 8, 4);
    pointer(sheet, 'pointerdown', 6, 4, { button: 5 });
    pointer(sheet, 'pointerup', 6, 4, { button: 5 });
    expect(marked(await shown(heard))).toBe(4);
    pointer(sheet, 'pointerdown', 20, 20);
    pointer(sheet, 'pointerdown', 25, 25, { pointerId: 2, isPrimary: false });
    pointer(sheet, 'pointerup', 20, 20);
    expect(marked(await shown(heard))).toBe(4);
  });
});

describe('by keys', () => {
  it('moves, paints, chooses tools and takes back, and says so', async () => {
    const { heard, sheet } = await open();
    const status = page.getByRole('status');
    sheet.focus();
    await userEvent.keyboard('{ArrowRight}{ArrowDown} ');
    expect(marked(await shown(heard))).toBe(1);
    await expect.element(status).toHaveTextContent('Column 2, row 2, black');
    await userEvent.keyboard('m{ArrowRight} ');
    let pixels = await shown(heard);
    expect(marked(pixels)).toBe(3);
    expect(pixels.cells[32 + 29]).toBe(0);
    await userEvent.keyboard('z');
    await expect.element(status).toHaveTextContent('Undone');
    expect(marked(await shown(heard))).toBe(1);
    await userEvent.keyboard('y');
    expect(marked(await shown(heard))).toBe(3);

    await userEvent.keyboard('ml');
    await expect.element(page.getByRole('radio', { name: 'Line' })).toBeChecked();
    await userEvent.keyboard('{ArrowDown} ');
    await expect.element(status).toHaveTextContent('Line from column 3, row 3');
    await userEvent.keyboard('{Shift>}{ArrowRight}{/Shift} ');
    expect(marked(await shown(heard))).toBe(8);

    await userEvent.keyboard('4f{ArrowDown}{ArrowDown} ');
    pixels = await shown(heard);
    expect(marked(pixels)).toBe(32 * 32);
    expect(pixels.cells[0]).toBe(0xd6_2f_2f);
  });

  it('leaves tab and the browser’s own keys alone', async () => {
    const { sheet } = await open();
    const key = (init: KeyboardEventInit) => {
      const event = new KeyboardEvent('keydown', { ...init, bubbles: true, cancelable: true });
      sheet.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(key({ key: 'Tab' })).toBe(false);
    expect(key({ key: 'p', ctrlKey: true })).toBe(false);
    expect(key({ key: 'ArrowLeft', altKey: true })).toBe(false);
    expect(key({ key: 'z', ctrlKey: true })).toBe(true);
  });
});

const dot: Pixels = painted(blank(32), [{ x: 3, y: 3 }], 0);

describe('the strip', () => {
  it('begins with what was drawn before, and tells only of drawings with something on them', async () => {
    const { heard, sheet } = await open({ drawings: [{ name: 'dot', blob: pngOf(dot) }] });
    await expect.element(page.getByRole('button', { name: 'dot, drawing 1 of 1' })).toBeVisible();
    await page.getByRole('button', { name: 'New drawing' }).click();
    expect(document.activeElement).toBe(sheet);
    await expect.element(page.getByRole('button', { name: /drawing 2 of 2/ })).toBeVisible();
    await userEvent.keyboard(' ');
    expect(heard.at(-1)!.map(({ name }) => name)).toEqual(['dot', '']);
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(heard.at(-1)!.map(({ name }) => name)).toEqual(['dot']);
  });

  it('doubles, removes and brings back', async () => {
    const { heard } = await open({ drawings: [{ name: 'dot', blob: pngOf(dot) }] });
    await page.getByRole('button', { name: 'dot, drawing 1 of 1' }).click();
    await page.getByRole('button', { name: 'Duplicate' }).click();
    expect(heard.at(-1)).toHaveLength(2);
    await page.getByRole('button', { name: 'Remove' }).click();
    expect(heard.at(-1)).toHaveLength(1);
    await page.getByRole('button', { name: 'Bring back dot' }).click();
    expect(heard.at(-1)).toHaveLength(2);
  });
});

it('shows an example through what is not drawn on', async () => {
  await open({ onion: pngOf(dot) });
  const canvas = () => document.querySelector<HTMLCanvasElement>('[role=application] canvas')!;
  const alpha = () => canvas().getContext('2d')!.getImageData(0, 0, 1, 1).data[3];
  await expect.poll(alpha).toBe(0);
  expect(document.querySelector('[role=application] img')).not.toBeNull();
  await page.getByRole('button', { name: 'Example' }).click();
  await expect.poll(alpha).toBe(255);
});

it('is brought to another size with all that is drawn', async () => {
  const { heard, view, sheet } = await open({ drawings: [{ name: 'dot', blob: pngOf(dot) }] });
  await expect.element(page.getByRole('button', { name: 'dot, drawing 1 of 1' })).toBeVisible();
  await view.rerender({ size: 64 });
  await expect.poll(() => heard.length).toBe(1);
  expect(marked(await shown(heard, 0, 64))).toBe(4);
  expect(sheet.getAttribute('aria-label')).toBe('Sheet of 64 by 64 cells');
});

it('has nothing that axe would say, by day and by night', async () => {
  await open({ drawings: [{ name: 'dot', blob: pngOf(dot) }], onion: pngOf(dot) });
  expect(await violations()).toEqual([]);
  document.documentElement.style.colorScheme = 'dark';
  // Backgrounds fade over.
  await Promise.all(document.getAnimations().map(({ finished }) => finished));
  expect(await violations()).toEqual([]);
  document.documentElement.style.colorScheme = '';
});
