/** @file `npm run bench -- firstStep [rounds] [JOB as JSON]`: how long the built-in demo takes from being started to its first training step, phase by phase, in Chromium on the CPU; the first visit, then reloads with a warm cache. */
import { findChromium } from '../../scripts/ensure.mjs';
import { hostPage } from '../engines/host.ts';
import { launch } from '../engines/puppeteer.ts';

interface Sign {
  /** Milliseconds since the run was asked for. */
  readonly at: number;
  readonly what: string;
}

interface Seen {
  signs: Sign[];
  done: boolean;
  /** The run is over, and the page can be left. */
  over: boolean;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

export async function main(rounds = 3): Promise<void> {
  const program = findChromium();
  if (program === null) throw new Error('There is no Chromium on this machine.');
  const host = await hostPage({ headers: true, path: '/' });
  const engine = await launch('chromium', program);
  try {
    const tab = await engine.newTab();
    for (let round = 0; round <= rounds; round++) {
      await tab.goto(host.url);
      await tab.evaluate(() => {
        const seen = globalThis as unknown as Seen;
        seen.signs = [];
        [seen.done, seen.over] = [false, false];
        const began = performance.now();
        const note = (what: string): void => {
          if (seen.signs.at(-1)?.what !== what) seen.signs.push({ at: performance.now() - began, what });
        };
        const run = globalThis.rotune!.run({ backend: 'wasm' }, (event) => {
          if (seen.done) return;
          note(event.kind === 'phase' ? event.phase : event.kind);
          if (event.kind !== 'steps') return;
          seen.done = true;
          void globalThis.rotune!.pause();
        });
        void run.finally(() => (seen.over = true));
      });
      const from = performance.now();
      let seen: Seen = { signs: [], done: false, over: false };
      while (!seen.over && performance.now() - from < 120_000) {
        await new Promise((next) => setTimeout(next, 250));
        seen = await tab.evaluate(() => {
          const { signs, done, over } = globalThis as unknown as Seen;
          return { signs, done, over };
        });
      }
      const told = seen.signs.map(({ at, what }) => `${what} ${seconds(at)}`).join(', ');
      console.log(`${round === 0 ? 'first visit' : `warm ${round}`}: ${seen.done ? '' : 'no step: '}${told}`);
    }
  } finally {
    await engine.close();
    await host.close();
  }
}
