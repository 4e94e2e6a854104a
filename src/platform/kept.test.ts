/** @file What failed is never kept, and nothing else remembers promises by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Kept, LastKept, once } from './kept.ts';

/** Fails so many times, then gives how often it was asked. */
function failing(times: number) {
  let asked = 0;
  return () => {
    asked++;
    return asked <= times ? Promise.reject(new Error(`failure ${asked}`)) : Promise.resolve(asked);
  };
}

it('makes again what failed, however often, and then never again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 6 }),
      fc.constantFrom('map', 'last', 'once'),
      async (n, how) => {
        const make = failing(n);
        const kept = new Kept<string, number>();
        const last = new LastKept<number>();
        const lazy = once(make);
        const ask = { map: () => kept.get('a', make), last: () => last.get('a', make), once: lazy }[how];
        for (let i = 1; i <= n; i++) await expect(ask()).rejects.toThrow(`failure ${i}`);
        expect(await Promise.all([ask(), ask()])).toEqual([n + 1, n + 1]);
        expect(await ask()).toBe(n + 1);
      },
    ),
    { numRuns: 30 },
  );
});

it('lets all who wait share one attempt, and its failure', async () => {
  const kept = new Kept<string, number>();
  const make = failing(1);
  const both = await Promise.allSettled([kept.get('a', make), kept.get('a', make)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await kept.get('a', make)).toBe(2);
});

it('keeps what is newer when something old fails late', async () => {
  const kept = new Kept<string, number>();
  let fail: (error: Error) => void = () => undefined;
  const old = kept.get('a', () => new Promise<number>((_, reject) => (fail = reject)));
  kept.forget('a');
  const newer = kept.get('a', () => Promise.resolve(1));
  fail(new Error('late'));
  await expect(old).rejects.toThrow('late');
  expect(kept.get('a', () => Promise.resolve(2))).toBe(newer);
});

it('keeps the newest key alone', async () => {
  const last = new LastKept<number>();
  const make = failing(0);
  expect(await last.get('a', make)).toBe(1);
  expect(await last.get('b', make)).toBe(2);
  expect(await last.get('b', make)).toBe(2);
  expect(await last.get('a', make)).toBe(3);
});

/** Source files, without tests and what is for them alone. */
const sources = ['src', 'workers'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.(ts|svelte)$/.test(path) && !/\.test\.ts$|\/testing\//.test(path)),
);

it('is how every promise of a load is remembered', () => {
  const rest = sources.flatMap((path) => {
    if (path === join('src', 'platform', 'kept.ts')) return [];
    const text = readFileSync(path, 'utf8');
    return [
      // A memo by hand: `known ??= fetch(…)`, `let known: Promise<…> | undefined`.
      ...(text.match(/\?\?=\s*(?:import|fetch|Promise|await|async)\b.*/g) ?? []),
      ...(text.match(/let \w+: Promise<[^;]*\| undefined;/g) ?? []),
      // A map of promises that lives longer than a call.
      ...(text.match(
        /^(?: {2}(?:readonly )?#\w+ |(?:export )?const \w+ )=? ?.*new (?:Weak)?Map<.*Promise<.*/gm,
      ) ?? []),
    ].map((line) => `${path}: ${line.trim()}`);
  });
  expect(rest).toEqual([]);
});
