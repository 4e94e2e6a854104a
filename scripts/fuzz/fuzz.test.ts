/** @file The fuzzer itself: what it takes for right, what it is told to do, and that no case can stop it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Reason } from '#src/platform/refusals.ts';
import { DataError } from '#src/tasks/files.ts';
import type { FuzzKind, Said } from '../../e2e/fuzz/kind.ts';
import { kinds } from '../../e2e/fuzz/kinds.ts';
import { outcomeOf } from '../../e2e/fuzz/outcome.ts';
import { wishesOf } from './main.ts';
import { type Ended, watched } from './watched.ts';

const kindOf = (read: () => readonly Said[]): FuzzKind => ({
  ...{ ending: '.txt', full: 1, make: () => new Uint8Array() },
  read: async () => read(),
});
const thrown = (error: unknown) =>
  kindOf(() => {
    throw error;
  });

describe('a case', () => {
  it.each<[string, FuzzKind, string]>([
    ['that is taken', kindOf(() => []), 'read'],
    ['that is refused', thrown(new DataError('a.csv is empty. Choose another copy of it.')), 'refused'],
    [
      'of which something is said',
      kindOf(() => [{ message: 'It is wrong.', cure: 'Take it out.' }]),
      'refused',
    ],
    ['that runs out of stack', thrown(new RangeError('Maximum call stack size exceeded')), 'raw'],
    ['that meets what is not there', thrown(new TypeError('Cannot read properties of undefined')), 'raw'],
    ['with a text for an error', thrown('no'), 'raw'],
    ['without a way out', thrown(new DataError('a.csv is empty.')), 'raw'],
    ['whose words are inner ones', thrown(new DataError('x is undefined. Choose another.')), 'raw'],
    ['that lets an object through', kindOf(() => [{ message: 'Leave out [object Object].' }]), 'raw'],
    ['whose reason is of no sentence', thrown(new Reason('it is cut off')), 'raw'],
  ])('%s', async (_, kind, was) => {
    const outcome = await outcomeOf(kind, new Uint8Array());
    expect(outcome.was).toBe(was);
    expect(outcome.why === '').toBe(was !== 'raw');
  });
});

describe('what is asked for', () => {
  it.each<[string, object]>([
    ['', { names: Object.keys(kinds), minutes: 1 }],
    ['links', { names: ['links'], minutes: 1 }],
    ['links 0.5', { names: ['links'], minutes: 0.5 }],
    ['3', { names: Object.keys(kinds), minutes: 3 }],
    ['zips 2 --from 77', { names: ['zips'], minutes: 2, from: 77 }],
  ])('%s', (line, wishes) => {
    expect(wishesOf(line.split(' ').filter(Boolean), 1_700_000_000_000)).toMatchObject(wishes);
  });

  it.each(['link', 'links 1 2', 'toString', 'links --from x', '--from'])('is not understood: %s', (line) => {
    expect(wishesOf(line.split(' '), 0)).toMatch(/[.]$/);
  });
});

it('goes on behind cases that hang, or take the process along', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rotune-fuzz-'));
  const script = join(folder, 'cases.mjs');
  writeFileSync(
    script,
    `process.send({ ready: true });
     for (let seed = Number(process.argv[3]); ; seed++) {
       if (seed === 3) for (;;);
       if (seed === 5) process.exit(1);
       if (seed === 8) await new Promise(() => setInterval(() => undefined, 1000));
       process.send({ seed, was: 'read', why: '', ms: 1 });
       await new Promise(setImmediate);
     }`,
  );
  const ended: Ended[] = [];
  try {
    // Time is over when the last case has been told of.
    const until = Date.now() + 60_000;
    await watched('any', 1, until, (each) => ended.push(each), { script, silence: 1000, last: 8 });
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(ended.map(({ seed, was }) => `${seed} ${was}`)).toEqual([
    ...['1 read', '2 read', '3 hung', '4 read', '5 died', '6 read', '7 read', '8 hung'],
  ]);
});
