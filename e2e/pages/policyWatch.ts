/** @file Sees in every tab, worker and service worker of a test what goes against the page's policy, and what is asked of hosts that the page is not from. */
import type { BrowserContext } from '@playwright/test';

/** How Chromium speaks of it, in the console of whichever realm did it. */
const AGAINST = /Content[ -]Security[ -]Policy|Permissions policy violation|requires 'Trusted|TrustedTypePolicy/i;

export class PolicyWatch {
  readonly broken: string[] = [];
  /** Of those that a test has not allowed. */
  readonly foreign: string[] = [];
  readonly #own = new Set<string>();

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      if (AGAINST.test(message.text())) this.broken.push(message.text());
    });
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!/^(http|ws)/.test(protocol)) return;
      // Where a test goes itself, the page is from.
      if (request.isNavigationRequest()) this.#own.add(origin);
      if (!this.#own.has(origin)) this.foreign.push(request.url());
    });
  }

  /** From now on this host may be asked. */
  allow(url: string): void {
    this.#own.add(new URL(url).origin);
  }

  /** What was seen so far; forgotten with that, so that a test may go against the policy itself. */
  take(): { broken: string[]; foreign: string[] } {
    return { broken: this.broken.splice(0), foreign: this.foreign.splice(0) };
  }
}
