/** @file A person without a pointer: goes on by Tab until the wanted thing has the focus, and sees where that is. */
import { expect, type Locator, type Page } from '@playwright/test';

/** Tabs that nobody would press. */
const MOST = 150;

export class Keyboard {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Whether this, or what stands for it, has the focus. */
  #has(target: Locator): Promise<boolean> {
    return target
      .first()
      .evaluate((element) => element === document.activeElement)
      .catch(() => false);
  }

  /** Goes there by Tab alone, from wherever the focus is. Fails where it never arrives, or the focus cannot be seen. */
  async to(target: Locator): Promise<void> {
    await expect(target.first()).toBeEnabled({ timeout: 60_000 });
    for (let i = 0; i < MOST && !(await this.#has(target)); i++) await this.#page.keyboard.press('Tab');
    await expect(target.first()).toBeFocused();
    const seen = await this.#page.evaluate(() => {
      const focused = document.activeElement!;
      // Some controls are drawn by the label around them, or behind them.
      const drawn = [focused, focused.closest('label'), focused.nextElementSibling, focused.parentElement];
      return (
        focused.matches(':focus-visible') &&
        drawn.some((each) => {
          if (!each) return false;
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(each);
          return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
        })
      );
    });
    expect(seen, `the focus on ${String(target)} can be seen`).toBe(true);
  }

  async press(target: Locator, key = 'Enter'): Promise<void> {
    await this.to(target);
    await this.#page.keyboard.press(key);
  }

  /** Puts words in a field in place of what stands there. */
  async type(field: Locator, words: string): Promise<void> {
    await this.to(field);
    await this.#page.keyboard.press('ControlOrMeta+a');
    await this.#page.keyboard.type(words);
  }
}
