/** @file A newcomer at the page, who counts: every tap, typed name and opened picker, and every word that was to be read on the way. */
import { expect, type Locator, type Page } from '@playwright/test';

interface PickedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** What is written in the main part for eyes: not what is folded, nor what only screen readers say. Texts of fields stand there as well. */
const textsOf = (page: Page): Promise<string> =>
  page.locator('main').evaluate((main) => {
    const seen = (element: Element): boolean => {
      const { width, height } = element.getBoundingClientRect();
      return element.checkVisibility({ opacityProperty: true }) && width > 1 && height > 1;
    };
    const texts: string[] = [];
    const walker = document.createTreeWalker(main, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node instanceof Text) {
        const { parentElement: around } = node;
        if (around && !around.closest('select, textarea, .sr-only') && seen(around)) texts.push(node.data);
      } else if (node instanceof HTMLSelectElement) {
        if (seen(node)) texts.push(node.selectedOptions[0]?.label ?? '');
      } else if (
        (node instanceof HTMLInputElement && !['file', 'radio', 'checkbox', 'color'].includes(node.type)) ||
        node instanceof HTMLTextAreaElement
      ) {
        if (seen(node)) texts.push(node.value || node.placeholder);
      }
    }
    return texts.join('\n');
  });

/** Whatever has a letter or a digit in it, between spaces. */
const wordsIn = (text: string): number =>
  text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

export class Person {
  readonly #page: Page;
  #taps = 0;
  /** By screen, as it was when it was looked at last. */
  readonly #words: number[] = [0];

  constructor(page: Page) {
    this.#page = page;
  }

  /** Whatever a hand had to do until now: taps, openings of the system's picker, and each name that was typed. */
  get taps(): number {
    return this.#taps;
  }
  /** Words on the screens until now, above and below the window's edges, as each was when it was left. */
  get words(): number {
    return this.#words.reduce((sum, words) => sum + words, 0);
  }

  /** What is read from here on is another screen. */
  turn(): void {
    this.#words.push(0);
  }

  /** Reads what is there now; every hand does so before it moves. */
  async look(): Promise<void> {
    this.#words[this.#words.length - 1] = wordsIn(await textsOf(this.#page));
  }

  async tap(button: Locator): Promise<void> {
    await expect(button).toBeEnabled();
    await this.look();
    this.#taps++;
    await button.tap();
  }

  /** Goes into a field, one tap, and types, which counts one more. */
  async type(field: Locator, text: string): Promise<void> {
    await this.tap(field);
    this.#taps++;
    await this.#page.keyboard.type(text);
  }

  /** Opens the system's picker, one tap, and comes back with files. */
  async pick(button: Locator, files: readonly PickedFile[]): Promise<void> {
    const picker = this.#page.waitForEvent('filechooser');
    await this.tap(button);
    await (await picker).setFiles([...files]);
  }
}
