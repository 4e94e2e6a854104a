/** @file Playwright's test with the page object, failing on whatever the page logs as an error. */
import { test as base, expect } from '@playwright/test';
import { RotunePage } from './rotunePage.ts';

export const test = base.extend<{ rotune: RotunePage }>({
  rotune: async ({ page }, use) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await use(new RotunePage(page));
    expect(errors, 'uncaught errors on the page').toEqual([]);
  },
});

export { expect };
