/**
 * @file Thousands of photographs through the real worker in Chromium: the memory of the browser's processes as the bar moves, and how soon a
 * cancel is heard.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { createServer } from 'vite';
import { CHROMIUM_ARGS, findChromium, ROOT } from '../../scripts/ensure.mjs';
import type { PrepareProgress } from '#workers/protocol.ts';
import type * as DataPage from './dataPage.ts';

const MB = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** Resident bytes that only this process has, and shared ones in proportion. */
function residentOf(pid: string): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return 1024 * Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Of the renderers of a browser with this profile; the page's is the only large one. */
function rendererMemory(profile: string): number {
  const lines = execFileSync('ps', ['-eo', 'pid,args', '--width', '4000'], { encoding: 'utf8' }).split('\n');
  const own = lines.filter((line) => line.includes('--type=renderer') && line.includes(profile));
  return own.reduce((most, line) => Math.max(most, residentOf(line.trim().split(' ')[0]!)), 0);
}

/** Live bytes of the page and its worker, garbage collected, shared buffers of wasm included. */
const liveBytes = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const measuring = performance as unknown as {
      measureUserAgentSpecificMemory(): Promise<{ bytes: number }>;
    };
    return (await measuring.measureUserAgentSpecificMemory()).bytes;
  });

/** One task: a whole preparation with its memory at every fifth, then one that is cancelled. */
async function one(task: string, count: number, side: number): Promise<void> {
  const server = await createServer({
    root: ROOT,
    logLevel: 'error',
    cacheDir: 'node_modules/.vite/bench',
    // Found only while the bench runs, a dependency would be bundled then, and what was loaded before it would be stale.
    optimizeDeps: { entries: ['workers/trainer.worker.ts', 'e2e/bench/dataPage.ts'] },
    server: { port: 0, ws: false, hmr: false, watch: null },
  });
  await server.listen();
  const address = server.resolvedUrls!.local[0]!;
  const executablePath = findChromium();
  const profile = mkdtempSync(join(tmpdir(), 'rotune-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    args: CHROMIUM_ARGS,
    ...(executablePath === null ? {} : { executablePath }),
  });
  try {
    const page = await context.newPage();
    page.on(
      'console',
      (message) =>
        message.type() === 'error' &&
        !/websocket|404/i.test(message.text()) &&
        console.log(`  page: ${message.text()}`),
    );
    await page.goto(`${address}e2e/bench/data.html`);
    const bench = await page.evaluateHandle<typeof DataPage>('import("/e2e/bench/dataPage.ts")');
    const bytes = await bench.evaluate((b, [n, s]) => b.make(n!, s!), [count, side]);
    console.log(`${task}: ${count} images of ${side}², ${MB(bytes)} of JPEG`);
    const start = rendererMemory(profile);
    console.log(`  before: renderer ${MB(start)}`);
    let [peak, told, next] = [start, 0, 1];
    await page.exposeFunction('benchProgress', ({ what, done, total }: PrepareProgress) => {
      told++;
      if (what === 'fetching') return;
      if (done === 1 || what !== phase) [next, phase] = [1, what];
      if (done < (next * total) / 5) return;
      next = 1 + Math.floor((5 * done) / total);
      const now = rendererMemory(profile);
      peak = Math.max(peak, now);
      console.log(`  ${what} ${done}/${total}: renderer ${MB(now)}`);
    });
    let phase = '';
    const run = (cancelAt: number): Promise<DataPage.Prepared> =>
      bench.evaluate(
        (b, [name, at]) =>
          b.prepare(
            name as string,
            (progress) => {
              (window as unknown as { benchProgress(p: unknown): void }).benchProgress(progress);
            },
            at as number,
          ),
        [task, cancelAt],
      );
    const whole = await run(0);
    if (!whole.ok) throw new Error(`not prepared: ${JSON.stringify(whole)}`);
    console.log(
      `  done: ${whole.seconds.toFixed(0)} s, told ${told} times, peak ${MB(peak)}, live ${MB(await liveBytes(page))}`,
    );
    await page.reload();
    const again = await page.evaluateHandle<typeof DataPage>('import("/e2e/bench/dataPage.ts")');
    await again.evaluate((b, [n, s]) => b.make(n!, s!), [200, side]);
    const cut = await again.evaluate((b, name) => b.prepare(name, () => undefined, 50), task);
    console.log(
      `  cancelled at 50 of 200: ${cut.code ?? 'not at all'}, heard after ${cut.cancelled?.toFixed(2)} s`,
    );
  } finally {
    await context.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** `npm run bench -- data [images] [side] [task]`. */
export async function main(count = 5000, side = 512, only?: string): Promise<void> {
  for (const task of ['image-classification', 'diffusion'])
    if (only === undefined || only === task) await one(task, count, side);
}
