/** @file A clock for tests of watches. */
import type { Clock } from '../ticking.ts';

/** Time that passes when told to. */
export function fakeClock(): Clock & { pass(ms: number): void } {
  const ticks = new Map<() => void, { ms: number; at: number }>();
  return {
    every(ms, tick) {
      ticks.set(tick, { ms, at: 0 });
      return () => ticks.delete(tick);
    },
    pass(ms) {
      for (let t = 0; t < ms; t += 100)
        for (const [tick, timer] of [...ticks]) {
          timer.at += 100;
          if (timer.at % timer.ms === 0 && ticks.has(tick)) tick();
        }
    },
  };
}
