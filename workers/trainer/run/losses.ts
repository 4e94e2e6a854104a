/**
 * @file A run outlives the graphics device: where that is lost, it goes on on another by itself, and after too many losses on the CPU. Where its memory runs out,
 * the run goes on with less.
 */
import { isOutOfMemory } from '#src/runtime/errors.ts';
import type { JobRequest, Problem, RunResult } from '../../protocol.ts';
import type { Saved } from '../saved.ts';

/** A device that is lost so often within so long, milliseconds, is not trusted any more. */
export const LOSSES = 3;
const WITHIN = 300_000;

export interface OnDevices {
  /** Trains to the end on the device that the request wants, from a state or, null, from the beginning. */
  readonly train: (request: JobRequest, from: Saved | null) => Promise<RunResult>;
  /** Why the device was lost, if what was thrown just now follows from that; null: it is there. */
  readonly lost: () => Promise<string | null>;
  /** The newest state, stored or not. */
  readonly newest: () => Saved | null;
  readonly warn: (problem: Problem) => void;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

const what = 'The graphics device was lost: the driver restarted, or another program took it.';

/** The run's result, on as many devices as it takes. Throws what stopped it, if that was not the loss of one. */
export async function throughLosses(
  request: JobRequest,
  saved: Saved | null,
  { train, lost, newest, warn, now = () => performance.now() }: OnDevices,
): Promise<RunResult> {
  const losses: number[] = [];
  let onCpu = false;
  for (let [asked, from] = [request, saved]; ;) {
    try {
      return await train(asked, from);
    } catch (error) {
      const detail = await lost();
      from = newest() ?? from;
      const place = from ? `from step ${from.checkpoint.step}` : 'from its beginning';
      const { job } = asked;
      if (detail === null && isOutOfMemory(error) && !job.train.recompute) {
        asked = { ...asked, job: { ...job, train: { ...job.train, recompute: true } } };
        warn({
          code: 'out-of-memory',
          message: `There was not enough memory for this job. The run went on by itself ${place}, and computes parts of the model twice instead of keeping their results: that takes less memory and more time, and its numbers may differ in the last digits.`,
          cure: 'Nothing is to be done. A smaller batch with more accumulation is quicker.',
        });
        continue;
      }
      if (detail === null || onCpu) throw error;
      losses.push(now());
      const again = losses.filter((at) => now() - at <= WITHIN).length < LOSSES;
      if (!again) {
        asked = { ...asked, backend: 'wasm' };
        onCpu = true;
      }
      const words = again
        ? `${what} The run went on by itself on a new one, ${place}.`
        : `The graphics device was lost ${LOSSES} times within five minutes. The run went on by itself on the CPU, ${place}: more slowly, and its numbers may differ in the last digits.`;
      const cure = again
        ? 'Nothing is to be done. If it happens often, choose the CPU.'
        : 'Close what else uses the graphics card before the next run.';
      warn({ code: 'device-lost', message: words, cure, detail });
    }
  }
}
