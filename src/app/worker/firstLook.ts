/** @file What the first screen asks before anything big is loaded: the saved runs. The worker would bring the whole engine along; what changes them comes when it is wanted. */
import { jobFromTable, jobToTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { noneWithout } from '#src/store/errors.ts';
import { RunElsewhere, whileStill } from '#src/store/runLock.ts';
import { type Parsers, RunReader, RUNS } from '#src/store/runReader.ts';
import type { RunStore } from '#src/store/runs.ts';
import { Transactions } from '#src/store/transactions.ts';
import type { Outcome, RunSummary } from '#workers/protocol.ts';
import { failed, toProblem } from './problems.ts';

const parsers: Parsers<never> = {
  content: () => {
    throw new Error('Only the worker reads checkpoints.');
  },
  job: (stored) => jobFromTable(jobToTable(stored as Job)),
};

/** The runs without their checkpoints, which only the worker reads. */
export const openSavedRuns = (): RunReader<never> => new RunReader(new Transactions('rotune', RUNS), parsers);

/** The same, to be changed. */
async function openForChange(): Promise<RunStore<never>> {
  const { RunStore: Store } = await import('#src/store/runs.ts');
  return new Store(parsers);
}

/** Saved runs, newest first; none where there is no storage. Throws StoreError where there is one that cannot be read. */
export const savedRuns = (): Promise<readonly RunSummary[]> => openSavedRuns().list().catch(noneWithout);

/** Changes a run's record; a run that is not there is said so. */
export async function changeRun(
  id: string,
  change: (runs: RunStore<never>) => Promise<void>,
): Promise<Outcome<null>> {
  try {
    const runs = await openForChange();
    if (!(await runs.find(id)))
      return failed({
        code: 'no-run',
        message: 'This run is not saved here any more.',
        cure: 'Start it anew.',
      });
    await whileStill(id, () => change(runs));
    return { ok: true, value: null };
  } catch (cause) {
    const code = cause instanceof RunElsewhere ? 'another-tab' : 'storage';
    return failed(toProblem(cause, { code, safe: 'Nothing that was saved before is lost.' }));
  }
}

/** Removes a run for good, unless it trains in another tab. */
export const dropRun = (id: string): Promise<void> =>
  whileStill(id, async () => (await openForChange()).remove(id)).catch(() => undefined);

/** The newest run that something was saved of, finished or not: what can be opened, or gone on with. */
export async function lastRun(from: {
  readonly runs: () => Promise<readonly RunSummary[]>;
}): Promise<RunSummary | null> {
  return (await from.runs()).find(({ checkpoints }) => checkpoints > 0) ?? null;
}
