/** @file How a tab or a browser ends without a word. */
import type { BrowserContext, Page } from '@playwright/test';
import { kill } from 'node:process';

/** Kills the processes of a kind: "renderer" are the tabs'. */
async function killProcesses(context: BrowserContext, kind: 'browser' | 'renderer'): Promise<void> {
  const session = await context.browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  for (const { type, id } of processInfo) if (type === kind) kill(id, 'SIGKILL');
}

export const killBrowser = (context: BrowserContext): Promise<void> => killProcesses(context, 'browser');

/** Kills the processes of the page and of all others beside it. */
export async function killRenderers(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash');
  await killProcesses(page.context(), 'renderer');
  await crashed;
}

/** The page's process ends as by a fault of its own. */
export async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash');
  const session = await page.context().newCDPSession(page);
  // Nobody is left to answer.
  void session.send('Page.crash').catch(() => undefined);
  await crashed;
}
