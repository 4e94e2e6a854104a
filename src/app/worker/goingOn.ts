/** @file A run outlives its worker: where one dies or gets stuck, the next goes on from the last saved state by itself. */
import type { Outcome, Problem, RunResult } from '#workers/protocol.ts';
import { WorkerGone } from './watchdog.ts';

/** A worker that ends again and again will go on doing so: after so many within so long, milliseconds, a person is asked. */
export const RESTARTS = 3;
const WITHIN = 300_000;
/** A worker that ended may hold its run a while longer where the device is busy: the next asks so often whether it still does, and each time waits for it. */
const ASKED = 6;

export interface GoingOn {
  /** Asks a worker for the run: anew, or from its last saved state, of which it tells the note. Throws WorkerGone where the worker ends. */
  readonly ask: (resume: boolean, note?: Problem) => Promise<Outcome<RunResult>>;
  /** Removes what is listed of the run, of which no state was saved. */
  readonly discard: () => Promise<void>;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/**
 * The run's outcome, of whichever worker brings it to its end.
 * @param resume it goes on from a saved state from the first
 * @throws WorkerGone of the last worker, where they end again and again
 */
export async function goingOn(
  { ask, discard, now = () => performance.now() }: GoingOn,
  resume: boolean,
): Promise<Outcome<RunResult>> {
  const gone: number[] = [];
  let note: Problem | undefined;
  let held = 0;
  for (let again = resume; ;) {
    try {
      const outcome = await ask(again, note);
      const still = !outcome.ok && outcome.problem.code === 'another-tab' && gone.length > 0;
      if (still && ++held < ASKED) continue;
      const unsaved = !outcome.ok && outcome.problem.code === 'no-run' && again && !resume;
      if (!unsaved) return outcome;
      await discard();
      again = false;
    } catch (cause) {
      if (!(cause instanceof WorkerGone)) throw cause;
      gone.push(now());
      if (gone.filter((at) => now() - at <= WITHIN).length > RESTARTS) throw cause;
      note = {
        code: 'restarted',
        message: `${cause.message.replace(/\.$/, '')} and was started anew. The run went on by itself from its last saved state.`,
        cure: 'Nothing is to be done. If it happens again, reload the page.',
      };
      again = true;
    }
  }
}
