/** @file Cases of one kind, tried seed after seed, each told of as it ends. */
import { setImmediate } from 'node:timers/promises';
import { kinds } from '../../e2e/fuzz/kinds.ts';
import { type Outcome, outcomeOf } from '../../e2e/fuzz/outcome.ts';

/** What the other process is told: that cases begin, and how each one ended. */
export type Told = { readonly ready: true } | ({ readonly seed: number } & Outcome);

/** Never ends by itself, but with the process that listens. */
export async function tryCases(name: string, from: number): Promise<never> {
  const kind = kinds[name]!;
  const tell = (told: Told): void => {
    process.send!(told);
  };
  process.once('disconnect', () => process.exit());
  tell({ ready: true });
  for (let seed = from; ; seed++) {
    tell({ seed, ...(await outcomeOf(kind, await kind.make(seed))) });
    // What was told goes out now: the next case may never end.
    await setImmediate();
  }
}
