/** @file The sheet to draw on, as a hand uses it: by pointer, and by the keys that the sheet takes. */
import { expect, type Page } from '@playwright/test';

/** Keys of the colours, in the order of the page's palette. */
const COLOURS = {
  black: '1',
  white: '2',
  grey: '3',
  red: '4',
  orange: '5',
  yellow: '6',
  green: '7',
  teal: '8',
  blue: '9',
} as const;
export type Ink = keyof typeof COLOURS;

/** Cells of the sheet; its first is 0. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export class DrawingSheet {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get sheet() {
    return this.#page.getByRole('application', { name: /^Sheet of \d+ by \d+ cells/ });
  }
  get name() {
    return this.#page.getByLabel('What it shows');
  }
  get drawings() {
    return this.#page
      .getByRole('region', { name: 'Drawings' })
      .getByRole('button', { name: /, drawing \d+ of \d+/ });
  }

  /** The middles of cells as places in the window. */
  async #cells(): Promise<(x: number, y: number) => readonly [number, number]> {
    await this.sheet.scrollIntoViewIfNeeded();
    const [, size] = /(\d+) by/.exec((await this.sheet.getAttribute('aria-label'))!)!;
    const { x: left, y: top, width } = (await this.sheet.boundingBox())!;
    const cell = width / Number(size);
    return (x, y) => [left + (x + 0.5) * cell, top + (y + 0.5) * cell];
  }

  /** A tool's or a colour's key. */
  async #press(key: string): Promise<void> {
    await this.sheet.press(key);
  }

  /** Pours colour over whatever is of one colour and hangs together at a cell. */
  async pour(ink: Ink, x: number, y: number): Promise<void> {
    const cells = await this.#cells();
    await this.#press(COLOURS[ink]);
    await this.#press('f');
    await this.#page.mouse.click(...cells(x, y));
  }

  /** Draws a rectangle's edge with the pen in one stroke, then fills it. */
  async block(ink: Ink, { left, top, right, bottom }: Rectangle): Promise<void> {
    const cells = await this.#cells();
    await this.#press(COLOURS[ink]);
    await this.#press('p');
    const { mouse } = this.#page;
    await mouse.move(...cells(left, top));
    await mouse.down();
    for (const [x, y] of [
      [right, top],
      [right, bottom],
      [left, bottom],
      [left, top],
    ] as const)
      await mouse.move(...cells(x, y));
    await mouse.up();
    await this.pour(ink, Math.round((left + right) / 2), Math.round((top + bottom) / 2));
  }

  /** Says what the drawing shows. */
  async call(name: string): Promise<void> {
    await this.name.fill(name);
    await this.name.press('Tab');
  }

  async another(): Promise<void> {
    const before = await this.drawings.count();
    await this.#page.getByRole('button', { name: 'New drawing' }).click();
    await expect(this.drawings).toHaveCount(before + 1);
  }
}
