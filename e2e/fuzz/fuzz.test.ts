/** @file Every kind of input, a few cases of each, and all that went wrong once: read, or refused in words for people. `npm run fuzz` goes on from here. */
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { keptCases } from './kept.ts';
import { kinds } from './kinds.ts';
import { outcomeOf } from './outcome.ts';

const QUICK = 40;

describe.each(Object.entries(kinds))('%s', (name, kind) => {
  it('are read or refused in plain words', { timeout: 600_000 }, async () => {
    const counts = { read: 0, refused: 0, raw: 0 };
    for (let seed = 1; seed <= depth(QUICK, kind.full); seed++) {
      const { was, why } = await outcomeOf(kind, await kind.make(seed));
      expect(why, `${name}, seed ${seed}`).toBe('');
      counts[was]++;
    }
    // A fuzzer whose cases all end alike looks at one door.
    expect(counts.read).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(0);
  });

  it.each(keptCases(name))('kept: %s', async (_, input) => {
    expect((await outcomeOf(kind, input)).why).toBe('');
  });

  it('are the same for the same seed', async () => {
    expect(await kind.make(7)).toEqual(await kind.make(7));
  });
});
