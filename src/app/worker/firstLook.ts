/** @file What the first screen asks before anything big is loaded: the newest saved run. The worker would bring the whole engine along. */
import { jobFromTable, jobToTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { RunStore } from '#src/store/runs.ts';
import type { RunSummary } from '#workers/protocol.ts';

/** Newest saved run, finished or not; null where there is none or no storage. Its checkpoint is not read. */
export async function newestRun(): Promise<RunSummary | null> {
  const runs = new RunStore<never>({
    content: () => {
      throw new Error('Only the worker reads checkpoints.');
    },
    job: (stored) => jobFromTable(jobToTable(stored as Job)),
  });
  try {
    return (await runs.list())[0] ?? null;
  } catch {
    return null;
  }
}
