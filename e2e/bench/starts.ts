/** @file `npm run bench -- starts [count] [firefox|chromium] [seconds] [built page]`: first runs in fresh profiles, each to the first training step of a small job; says how many start. */
import { findChromium, findFirefox } from '../../scripts/ensure.mjs';
import { hostPage } from '../engines/host.ts';
import { launch } from '../engines/puppeteer.ts';
import type { Json } from '../engines/driver.ts';
import { smallJob } from '../pages/rotunePage.ts';

const STEP = 250;

export async function main(
  count = 10,
  name: 'firefox' | 'chromium' = 'firefox',
  patience = 150,
  folder = '',
): Promise<void> {
  const program = name === 'firefox' ? findFirefox() : findChromium();
  if (program === null) throw new Error(`There is no ${name} on this machine.`);
  const host = await hostPage({ headers: true, path: '/', ...(folder && { folder }) });
  const job = JSON.parse(JSON.stringify(smallJob({ allLayers: true }))) as Json;
  const seconds: number[] = [];
  let restarted = 0;
  let slowest = 0;
  try {
    for (let turn = 1; turn <= count; turn++) {
      const engine = await launch(name, program);
      try {
        const tab = await engine.newTab();
        await tab.goto(host.url);
        const began = performance.now();
        await tab.evaluate((job) => {
          const seen = globalThis as unknown as { step: number; words: string };
          seen.step = 0;
          seen.words = '';
          void globalThis.rotune!.run({ job: job as never }, (event) => {
            if (event.kind === 'steps') seen.step = event.records.at(-1)!.step + 1;
            else if (event.kind === 'warning') seen.words += event.problem.message;
          });
        }, job);
        let step = 0;
        while (step === 0 && performance.now() - began < patience * 1000) {
          await new Promise((next) => setTimeout(next, STEP));
          step = await tab.evaluate(() => (globalThis as unknown as { step: number }).step);
        }
        const words = await tab.evaluate(() => (globalThis as unknown as { words: string }).words);
        const took = (performance.now() - began) / 1000;
        const starting = await tab.evaluate(() => {
          const at = (name: string) => performance.getEntriesByName(name).at(-1)?.startTime ?? NaN;
          return (at('rotune ready') - at('rotune starting')) / 1000;
        });
        if (step > 0) seconds.push(took);
        slowest = Math.max(slowest, starting);
        if (words.includes('Restarted')) restarted++;
        console.log(
          `${turn}: ${step > 0 ? `first step after ${took.toFixed(1)} s, the runtime's start ${starting.toFixed(1)} s` : 'hangs'} ${words}`,
        );
      } finally {
        await engine.close();
      }
    }
  } finally {
    await host.close();
  }
  console.log(
    `${seconds.length} of ${count} start in ${name}; ${restarted} were restarted with one thread; the slowest start of the runtime took ${slowest.toFixed(1)} s.`,
  );
}
