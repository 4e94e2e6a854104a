/** @file Damaged data sets from a seed. */
import { uniform } from '#src/ops/testing/random.ts';

export interface Dice {
  /** 0 … n − 1. */
  whole(n: number): number;
  chance(share: number): boolean;
  pick<T>(values: readonly T[]): T;
}

export function dice(seed: number): Dice {
  const u = uniform(seed);
  const whole = (n: number): number => Math.floor(u() * n);
  return { whole, chance: (share) => u() < share, pick: (values) => values[whole(values.length)]! };
}

/** The bytes cut short, with some turned over, or replaced; often as they are. */
export function damaged(d: Dice, bytes: Uint8Array): Uint8Array {
  switch (d.whole(8)) {
    case 0:
      return bytes.slice(0, d.whole(bytes.length + 1));
    case 1: {
      const out = bytes.slice();
      for (let i = 0; i < 1 + d.whole(8); i++) if (out.length > 0) out[d.whole(out.length)] = d.whole(256);
      return out;
    }
    case 2:
      return Uint8Array.from({ length: d.whole(200) }, () => d.whole(256));
    case 3:
      return new Uint8Array(0);
    default:
      return bytes;
  }
}
