/** @file What brings the page into a state: the lab, its trainer, and hands that press what a person would. */
import type { Lab } from '#src/app/lab.svelte.ts';
import type { FakeTrainer } from '#src/app/testing/fakeTrainer.ts';

export interface Stage {
  readonly lab: Lab;
  readonly trainer: FakeTrainer;
}

/** Milliseconds until something is given up that does not come. */
const PATIENCE = 50_000;

const frame = () => new Promise((resolve) => setTimeout(resolve, 16));

/** Waits until something is there. Throws when it does not come: a state that is not reached is none. */
export async function until<T>(what: string, look: () => T | null | undefined | false): Promise<T> {
  for (const end = performance.now() + PATIENCE; performance.now() < end;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    await frame();
  }
  throw new Error(`${what} did not come.`);
}

const shown = (element: Element): boolean => element.checkVisibility();

const named = (element: Element): string =>
  [element, ...element.querySelectorAll('[aria-label], [alt]')]
    .flatMap((part) => [part.getAttribute('aria-label') ?? '', part.getAttribute('alt') ?? ''])
    .concat(element.textContent)
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** The first element of a kind whose name begins so. */
export const find = (selector: string, name: string | RegExp): Promise<HTMLElement> =>
  until(`${selector} “${String(name)}”`, () =>
    [...document.querySelectorAll<HTMLElement>(selector)].find(
      (element) =>
        shown(element) &&
        (typeof name === 'string' ? named(element).startsWith(name) : name.test(named(element))),
    ),
  );

/** Presses a button, a link or what unfolds. */
export async function press(name: string | RegExp): Promise<void> {
  (await find('button:not(:disabled), summary, a', name)).click();
  // What unfolds says so a moment later.
  await frame();
  await frame();
}

/** Gives files to a field as its picker would. */
export async function give(label: string | RegExp, files: readonly File[]): Promise<void> {
  const field = await until(`the field “${String(label)}”`, () =>
    [...document.querySelectorAll<HTMLInputElement>('input[type=file]')].find((input) =>
      [
        input.getAttribute('aria-label') ?? '',
        ...[...(input.labels ?? [])].map((each) => each.textContent),
      ].some((text) => (typeof label === 'string' ? text.trim().startsWith(label) : label.test(text))),
    ),
  );
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  field.files = transfer.files;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

/** Pictures of one colour each. */
export async function pictures(count: number): Promise<readonly File[]> {
  const files: File[] = [];
  for (let i = 0; i < count; i++) {
    const canvas = new OffscreenCanvas(48, 48);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('No 2D canvas.');
    context.fillStyle = `hsl(${i * 40} 70% 50%)`;
    context.fillRect(0, 0, 48, 48);
    context.fillStyle = '#fff8';
    context.fillRect(4 + i, 8, 20, 20);
    files.push(new File([await canvas.convertToBlob()], `IMG_${2000 + i}.png`, { type: 'image/png' }));
  }
  return files;
}
