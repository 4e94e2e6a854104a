/** @file A long run leaves nothing behind with each of its steps but its record. */
import 'fake-indexeddb/auto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { Lab, tinyJob, tinyRequest, value } from './testing/sessions.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use once all garbage is gone. */
function live(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const long = (steps: number) =>
  tinyRequest({
    train: { ...tinyJob.train, steps, checkpointSteps: steps / 3 },
    sample: { ...tinyJob.sample, prompts: [], every: 0 },
  });

it('listens for the loss of its device once, not with each step', async () => {
  const lab = new Lab('listening');
  let heard = 0;
  /** Counts who listens to it, and to whatever follows from it. */
  const watch = (promise: Promise<unknown>): void => {
    const then = promise.then.bind(promise) as (...listeners: unknown[]) => Promise<never>;
    void Object.assign(promise, {
      then: (...listeners: unknown[]) => {
        heard++;
        const next = then(...listeners);
        watch(next);
        return next;
      },
    });
  };
  lab.onCreate = (runtime) => watch(runtime.lost);
  expect(value(await lab.newSession().start(long(30), () => undefined)).step).toBe(30);
  expect(heard).toBeGreaterThan(0);
  expect(heard).toBeLessThan(10);
});

/** Its columns with room for as many again, the copy in the newest checkpoint, and losses for the line in the list and for the watch over them. */
const RECORD = 2 * 7 * 8 + 7 * 8 + 2 * 2 * 8;
/** Of the compiler and the test's own, bytes. */
const SLACK = 3e6;

if (depth(false, true))
  it('takes no more room than its record', { timeout: 900_000 }, async () => {
    const steps = 60_000;
    const marks = [10_000, 30_000, 59_000];
    const found: number[] = [];
    const session = new Lab('long').newSession();
    const outcome = await session.start(long(steps), (event) => {
      const at = event.kind === 'steps' ? event.records.at(-1)!.step : 0;
      if (at >= (marks[found.length] ?? Infinity)) found.push(live());
    });
    expect(value(outcome).history.step).toHaveLength(steps);
    expect(found).toHaveLength(marks.length);
    for (const [i, bytes] of found.entries())
      expect(bytes - found[0]!).toBeLessThan(SLACK + RECORD * (marks[i]! - marks[0]!));
  });
