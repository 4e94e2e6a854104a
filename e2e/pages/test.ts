/** @file Playwright's test with the page object, failing on whatever the page logs as an error, does against its policy, or asks of another host. */
import { test as base, expect } from '@playwright/test';
import { PolicyWatch } from './policyWatch.ts';
import { RotunePage } from './rotunePage.ts';

interface Means {
  rotune: RotunePage;
  /** Of every test, whether it asks for it or not. */
  policy: PolicyWatch;
}

export const test = base.extend<Means>({
  policy: [
    async ({ context }, use) => {
      const policy = new PolicyWatch(context);
      await use(policy);
      if (policy.expected) return;
      expect(policy.broken, 'done against the policy').toEqual([]);
      expect(policy.foreign, 'asked of other hosts').toEqual([]);
    },
    { auto: true },
  ],
  rotune: async ({ page }, use) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await use(new RotunePage(page));
    expect(errors, 'uncaught errors on the page').toEqual([]);
  },
});

export { expect };
