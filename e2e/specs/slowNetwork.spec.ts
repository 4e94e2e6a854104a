/** @file A network that is slow and breaks: the size said before is what comes, progress is bytes, what came is kept over breaks and cancels. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeLink } from '#src/formats/jobs/link.ts';
import { serve } from '../../scripts/serve.mjs';
import { RotunePage, smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

test.use({ serviceWorkers: 'allow' });

/** Passes requests on, counts what it sends, and cuts large answers off as often as it is told. */
class Line {
  readonly sent = new Map<string, number>();
  /** Large answers that will break off in the middle. */
  breaks = 0;
  /** Holds large answers back after their first half, until they are let go. */
  holds = false;
  readonly #held: ServerResponse[] = [];
  readonly #server: Server;
  #behind = '';

  constructor() {
    this.#server = createServer((request, response) => {
      void (async () => {
        const path = request.url ?? '/';
        const { range } = request.headers;
        const answer = await fetch(new URL(path, this.#behind), { headers: range ? { range } : {} });
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const headers = [...answer.headers].filter(
          ([name]) => !/^(connection|transfer-encoding|date|keep-alive)$/.test(name),
        );
        response.writeHead(answer.status, Object.fromEntries(headers));
        const large = bytes.length > 200_000;
        const half = bytes.subarray(0, bytes.length >> 1);
        const count = (n: number): unknown => this.sent.set(path, (this.sent.get(path) ?? 0) + n);
        if (large && this.holds) {
          count(half.length);
          response.write(half);
          this.#held.push(response);
          return;
        }
        if (large && this.breaks > 0) {
          this.breaks--;
          count(half.length);
          response.write(half, () => setTimeout(() => response.destroy(), 1000));
          return;
        }
        count(bytes.length);
        response.end(bytes);
      })().catch(() => response.destroy());
    });
  }

  async open(behind: string): Promise<string> {
    this.#behind = behind;
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** What was held back breaks off. */
  letGo(): void {
    this.holds = false;
    for (const response of this.#held.splice(0)) response.destroy();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

test('a run begins over a line that breaks, and works offline after it', async ({ page, context }) => {
  const host = await serve();
  const line = new Line();
  const address = await line.open(host.origin);
  const rotune = new RotunePage(page);
  try {
    await page.goto(address);
    await expect(rotune.demoButton).toBeVisible();
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.goto('about:blank');
    await page.goto(`${address}${await encodeLink(smallJob())}`);
    // Said before anything is asked for.
    const shared = page.getByRole('region', { name: 'Someone shared a job with you' });
    const said = await shared.getByText(/^It loads [\d.]+ MB first\.$/).innerText();
    await page.waitForLoadState('networkidle');
    line.sent.clear();

    line.holds = true;
    await rotune.trainShared.click();
    const progress = page.getByText(/Loading: [\d.]+\s[kM]?B of [\d.]+\sMB, [\d.]+\s%/);
    await expect(progress).toBeVisible();
    // All that was sent has come: what is on its way when a line breaks is lost.
    await expect(async () => {
      const before = await progress.innerText();
      await page.waitForTimeout(1000);
      expect(await progress.innerText()).toBe(before);
    }).toPass();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(rotune.trainShared).toBeEnabled();

    line.letGo();
    line.breaks = 4;
    await rotune.trainShared.click();
    await rotune.resultHeading.waitFor({ timeout: 150_000 });
    const paths = [...line.sent.keys()];
    expect(paths.filter((path) => /\.png$/.test(path))).toEqual([]);
    expect(paths.filter((path) => /files\.pack$/.test(path))).toHaveLength(1);
    const large = [...line.sent].filter(([path]) => /\.(gz|onnx|pack)$/.test(path));
    const megabytes = large.reduce((n, [, bytes]) => n + bytes, 0) / 1e6;
    // What came was not fetched again: what was sent is what was said, and what was on its way at a break.
    const expected = Number(/[\d.]+/.exec(said)![0]);
    expect(Math.abs(megabytes - expected) / expected).toBeLessThan(0.03);

    line.close();
    await host.close();
    await context.setOffline(true);
    await page.goto('about:blank');
    await page.goto(`${address}${await encodeLink(smallJob({ seed: 1 }))}`);
    await expect(shared.getByText('All that it needs is here already.')).toBeVisible();
    await rotune.trainShared.click();
    await rotune.resultHeading.waitFor({ timeout: 120_000 });
  } finally {
    line.close();
    await host.close().catch(() => undefined);
  }
});
