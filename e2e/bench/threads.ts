/**
 * @file `npm run bench -- threads [rounds]`: steps with one thread and with two, in pages of a Chromium without window, and the operators that gain least. Wants two idle cores, since it goes by
 * the clock.
 */
import { chromium } from '@playwright/test';
import { createServer } from 'vite';
import { CHROMIUM_ARGS, ensureHeadless, ROOT, versionOf } from '../../scripts/ensure.mjs';
import { here, record, table } from './record.ts';
import type * as ThreadsPage from './threadsPage.ts';
import { spreadOf } from './timing.ts';

interface Row {
  readonly network: string;
  readonly what: 'forward' | 'step';
  /** The least milliseconds, with one thread and with two. */
  readonly one: number;
  readonly two: number;
  /** Operators with 2 % of the time or more: milliseconds with one thread, and how many times faster two are. */
  readonly operators: readonly (readonly [string, number, number])[];
}

function rowOf(network: string, what: Row['what'], runs: readonly ThreadsPage.Run[]): Row {
  const best = (threads: 0 | 1): { least: number; operators: Map<string, number> } => {
    const own = runs.filter((_, i) => i % 2 === threads);
    const operators = new Map<string, number>();
    for (const run of own)
      for (const [op, ms] of run.operators) operators.set(op, Math.min(ms, operators.get(op) ?? Infinity));
    return { least: Math.min(...own.map(({ times }) => spreadOf(times).least)), operators };
  };
  const [one, two] = [best(0), best(1)];
  const whole = [...one.operators.values()].reduce((a, b) => a + b, 0);
  const operators = [...one.operators]
    .filter(([, ms]) => ms >= whole / 50)
    .map(([op, ms]): [string, number, number] => [op, ms, ms / (two.operators.get(op) ?? NaN)])
    .sort(([, a], [, b]) => b - a);
  return { network, what, one: one.least, two: two.least, operators };
}

const cells = ({ network, what, one, two, operators }: Row): string[] => [
  network,
  what,
  one.toFixed(1),
  two.toFixed(1),
  `**${(one / two).toFixed(2)}**`,
  operators.map(([op, ms, gain]) => `${op} ${ms.toFixed(1)} ms, ${gain.toFixed(2)}×`).join('; '),
];

export async function main(rounds = 8): Promise<void> {
  const executablePath = await ensureHeadless();
  const server = await createServer({
    root: ROOT,
    logLevel: 'error',
    cacheDir: 'node_modules/.vite/bench',
    optimizeDeps: { entries: ['e2e/bench/threadsPage.ts'], exclude: ['onnxruntime-web'] },
    server: {
      port: 0,
      ws: false,
      hmr: false,
      watch: null,
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
  });
  await server.listen();
  const address = server.resolvedUrls!.local[0]!;
  const browser = await chromium.launch({ args: CHROMIUM_ARGS, executablePath });
  const open = async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(`${address}e2e/bench/data.html`);
    return {
      page,
      bench: await page.evaluateHandle<typeof ThreadsPage>('import("/e2e/bench/threadsPage.ts")'),
    };
  };
  const rows: Row[] = [];
  try {
    const first = await open();
    const names = await first.bench.evaluate((b) => b.names());
    await first.page.close();
    for (const name of names)
      for (const what of ['forward', 'step'] as const) {
        const runs: ThreadsPage.Run[] = [];
        // Twice in turn: what the machine does beside it changes within seconds.
        for (const threads of [1, 2, 1, 2]) {
          const { page, bench } = await open();
          const run = await bench.evaluate(
            (b, [network, kind, n, times]) =>
              b.measure(network as string, kind as 'forward' | 'step', n as number, times as number),
            [name, what, threads, rounds],
          );
          if (!run.isolated) throw new Error('The page may not share memory, so it has one thread.');
          runs.push(run);
          await page.close();
        }
        rows.push(rowOf(name, what, runs));
        console.error(cells(rows.at(-1)!).join('  '));
      }
  } finally {
    await browser.close();
    await server.close();
  }
  await record(
    'threads',
    here({ chromium: versionOf(executablePath) }),
    { rounds, rows },
    table(
      ['Network', 'What', 'One thread, ms', 'Two, ms', 'Gain', 'By operator: one thread, gain'],
      rows.map(cells),
    ),
  );
}
