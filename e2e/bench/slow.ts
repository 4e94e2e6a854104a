/** @file `npm run bench -- slow [KB/s] [ms] [firefox|chromium]`: a first visit over a slow line, from an empty profile to the first step of the demo: when what is seen, and how many bytes came. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findChromium, findFirefox } from '../../scripts/ensure.mjs';
import { serve } from '../../scripts/serve.mjs';
import { launch } from '../engines/puppeteer.ts';
import { RemotePage } from '../engines/remotePage.ts';
import { names } from '../pages/names.ts';

/** The line gives out so many slices a second, in turn to all who wait: what is asked for side by side shares it. */
const SLICES = 50;
const PATIENCE = 900;

interface Waiting {
  readonly path: string;
  readonly response: ServerResponse;
  rest: Uint8Array;
}

/** A line of so many bytes a second and so much latency, before a host. */
async function openLine(behind: string, rate: number, latency: number) {
  const sent = new Map<string, number>();
  const queue: Waiting[] = [];
  const began = performance.now();
  let given = 0;
  /** Seconds in which something waited: the line was in use. */
  let used = 0;
  const timer = setInterval(() => {
    // By the clock, since timers come late on a busy machine.
    const due = ((performance.now() - began) / 1000) * rate;
    let budget = due - given;
    given = due;
    if (queue.length > 0) used += budget / rate;
    while (budget > 0 && queue.length > 0) {
      const one = queue.shift()!;
      const part = one.rest.subarray(0, Math.ceil(Math.min(budget, rate / SLICES)));
      one.rest = one.rest.subarray(part.length);
      budget -= part.length;
      sent.set(one.path, (sent.get(one.path) ?? 0) + part.length);
      if (one.response.destroyed) continue;
      if (one.rest.length === 0) one.response.end(part);
      else {
        one.response.write(part);
        queue.push(one);
      }
    }
  }, 1000 / SLICES);
  const server = createServer((request, response) => {
    void (async () => {
      await new Promise((next) => setTimeout(next, latency));
      const path = request.url ?? '/';
      const { range } = request.headers;
      const answer = await fetch(new URL(path, behind), { headers: range ? { range } : {} });
      const rest = new Uint8Array(await answer.arrayBuffer());
      const headers = [...answer.headers].filter(
        ([name]) => !/^(connection|transfer-encoding|date|keep-alive)$/.test(name),
      );
      response.writeHead(answer.status, Object.fromEntries(headers));
      if (rest.length === 0) response.end();
      else queue.push({ path, response, rest });
    })().catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    sent,
    /** Seconds. */
    used: () => used,
    close() {
      clearInterval(timer);
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function main(
  kilobytes = 200,
  latency = 150,
  name: 'firefox' | 'chromium' = 'chromium',
): Promise<void> {
  const program = name === 'firefox' ? findFirefox() : findChromium();
  if (program === null) throw new Error(`There is no ${name} on this machine.`);
  const host = await serve();
  const line = await openLine(host.origin, kilobytes * 1000, latency);
  const engine = await launch(name, program);
  const bytes = () => [...line.sent.values()].reduce((n, more) => n + more, 0);
  let began = performance.now();
  const say = (what: string) =>
    console.log(
      `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s ${(bytes() / 1e6).toFixed(2).padStart(6)} MB, line in use ${line.used().toFixed(1).padStart(6)} s  ${what}`,
    );
  try {
    const page = new RemotePage(engine, await engine.newTab(), line.url);
    await page.tab.goto(line.url);
    const paint = await page.until('The first paint', () =>
      page.tab.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null),
    );
    console.log(`${(paint / 1000).toFixed(1).padStart(6)} s first paint`);
    await page.reads(/about .* on this device/);
    say('the button’s cost is shown');
    await page.until('Offline use', () =>
      page.tab.evaluate(() =>
        navigator.serviceWorker.getRegistration().then((found) => found?.active != null),
      ),
    );
    say('the page is stored for offline use');
    began = performance.now();
    await page.press(names.demoButton);
    say('click');
    let last = '';
    while (performance.now() - began < PATIENCE * 1000) {
      const { step, doing } = await page.tab.evaluate(() => ({
        step: /Step (\d+)/.exec(document.querySelector('h1')?.textContent ?? '')?.[1] ?? '0',
        doing: document.querySelector('h1 + p strong')?.textContent ?? '',
      }));
      // Without the numbers that go up.
      const kind = doing.replace(/[\d.,]+.*/s, '');
      if (kind !== last) say(doing);
      last = kind;
      if (step !== '0') break;
      await new Promise((next) => setTimeout(next, 200));
    }
    say('the first step');
    const large = [...line.sent].filter(([, n]) => n > 50_000).toSorted(([, a], [, b]) => b - a);
    for (const [path, n] of large) console.log(`${(n / 1e6).toFixed(2).padStart(8)} MB ${path}`);
    console.log(
      `${(bytes() / 1e6).toFixed(2)} MB take ${(bytes() / 1000 / kilobytes).toFixed(0)} s on this line at least.`,
    );
  } finally {
    await engine.close();
    line.close();
    await host.close();
  }
}
