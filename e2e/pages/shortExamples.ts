/** @file An example of each task but the default job's, made as short as a run can be. */
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { taskInfos } from '#src/tasks/infos.ts';

/** With its task's name; the seed makes it another run. */
export const shortExamples = (seed: number): readonly { readonly task: string; readonly job: Job }[] =>
  taskInfos
    .filter(({ id }) => id !== 'diffusion')
    .map(({ id, examples: [example] }) => {
      const job = jobFromTable(example!.job);
      return {
        task: id,
        job: {
          ...job,
          data: { ...job.data, heldout: null },
          train: { ...job.train, steps: 1, batch: 1, accumulate: 1, warmup: 0, seed },
          sample: { ...job.sample, prompts: job.sample.prompts.slice(0, 1), steps: 1, every: 0 },
        },
      };
    });
