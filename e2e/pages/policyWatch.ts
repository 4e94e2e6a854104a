/** @file Sees in every tab of a test and its workers what goes against the page's policy, and what is asked of hosts that the page is not from. */
import type { BrowserContext, Worker } from '@playwright/test';

/** How Chromium speaks of it in the console. */
const AGAINST =
  /Content[ -]Security[ -]Policy|Permissions policy violation|requires 'Trusted|TrustedTypePolicy/i;

/** What Chromium logs of a worker is not passed on: the worker says it itself. The runtime's threads are left alone, which wait and answer nobody. */
function listenIn(worker: Worker): void {
  if (!/\.worker[-.]/.test(worker.url())) return;
  void worker
    .evaluate(() => {
      addEventListener('securitypolicyviolation', (event) => {
        const { violatedDirective, blockedURI } = event;
        console.error(`Content Security Policy in a worker: ${violatedDirective} against ${blockedURI}`);
      });
    })
    .catch(() => undefined);
}

export class PolicyWatch {
  /** Set by a test that goes against the policy itself. */
  expected = false;
  readonly broken: string[] = [];
  /** Of those that a test has not allowed. */
  readonly foreign: string[] = [];
  readonly #own = new Set<string>();

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      if (AGAINST.test(message.text())) this.broken.push(message.text());
    });
    context.on('page', (page) => page.on('worker', listenIn));
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
}
